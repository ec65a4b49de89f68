import { useEffect, useRef, type ReactNode } from 'react'
import { Link } from 'wouter'
import { ChevronRight } from 'lucide-react'
import { settings } from '../settings.ts'
import styles from './page.module.css'

interface PageHeadProps {
  /** In the window's title too. */
  title: string
  /** In place of the title where that is more than words. */
  heading?: ReactNode
  /** The pages above this one. */
  trail?: { label: string, href: string }[]
  /** A line below the title. */
  children?: ReactNode
  actions?: ReactNode
}

let isFirst = true

/** The head of a page. After a navigation its heading has the focus, so that a screen reader says where one is. */
export function PageHead ({ title, heading, trail = [], children, actions }: PageHeadProps) {
  const ref = useRef<HTMLHeadingElement>(null)
  useEffect(() => { document.title = `${title} · ${settings.title}` }, [title])
  useEffect(() => {
    if (!isFirst) ref.current?.focus({ preventScroll: true })
    isFirst = false
  }, [])
  return (
    <header className={styles.head}>
      <div className={styles.words}>
        {trail.length > 0 && (
          <ol className={styles.trail} aria-label='Above this page'>
            {trail.map(({ label, href }) => (
              <li key={href}><Link href={href}>{label}</Link><ChevronRight size={13} aria-hidden /></li>
            ))}
          </ol>
        )}
        <h1 ref={ref} tabIndex={-1}>{heading ?? title}</h1>
        {children && <div className={styles.line}>{children}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  )
}
