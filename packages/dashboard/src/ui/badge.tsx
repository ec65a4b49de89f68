import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import styles from './badge.module.css'

export type Tone = 'ok' | 'bad' | 'warn' | 'busy' | 'idle'

/** A short word about a state; the word says it all, and the colour only helps. */
export function Badge ({ tone = 'idle', dot = false, children }: { tone?: Tone, dot?: boolean, children: ReactNode }) {
  return (
    <span className={classNames(styles.badge, styles[tone])}>
      {dot && <span className={styles.dot} aria-hidden />}{children}
    </span>
  )
}
