import type { ReactNode } from 'react'
import { CircleAlert, Info } from 'lucide-react'
import { classNames } from '../lib/class-names.ts'
import type { Tone } from './badge.tsx'
import styles from './notice.module.css'

/** Says what one has to know about the page, and what to do about it. */
export function Notice ({ tone, title, actions, children }: {
  tone: Tone
  title: ReactNode
  actions?: ReactNode
  children?: ReactNode
}) {
  const Icon = tone === 'bad' || tone === 'warn' ? CircleAlert : Info
  return (
    <div role='note' className={classNames(styles.notice, styles[tone])}>
      <Icon size={17} aria-hidden className={styles.icon} />
      <div className={styles.words}>
        <p className={styles.title}>{title}</p>
        {children && <div className={styles.text}>{children}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  )
}
