import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import styles from './panel.module.css'

/** A part of a page with a heading; `actions` stand beside it. `flush` lets its content reach the border. */
export function Panel ({ title, actions, note, isFlush = false, children }: {
  title?: string
  actions?: ReactNode
  /** Said beside the title. */
  note?: ReactNode
  isFlush?: boolean
  children: ReactNode
}) {
  return (
    <section className={styles.panel} aria-label={title}>
      {title && (
        <div className={styles.head}>
          <h2>{title}</h2>
          {note && <span className={styles.note}>{note}</span>}
          {actions && <div className={styles.actions}>{actions}</div>}
        </div>
      )}
      <div className={classNames(styles.body, isFlush && styles.flush)}>{children}</div>
    </section>
  )
}

/** Pairs of a name and a value. */
export function Facts ({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>
}

export function Fact ({ name, children }: { name: string, children: ReactNode }) {
  return <div className={styles.fact}><dt>{name}</dt><dd>{children}</dd></div>
}
