import type { ComponentProps, ReactNode } from 'react'
import { Link } from 'wouter'
import { classNames } from '../lib/class-names.ts'
import styles from './button.module.css'

interface Look {
  /** `primary`: the one thing to do here; `danger`: what cannot be undone; `quiet`: without a border. */
  kind?: 'primary' | 'plain' | 'danger' | 'quiet' | undefined
  size?: 'normal' | 'small' | undefined
  icon?: ReactNode
}

export function Button ({
  kind = 'plain', size = 'normal', icon, className, children, type = 'button', ...rest
}: ComponentProps<'button'> & Look) {
  return (
    <button type={type} className={classNames(styles.button, styles[kind], styles[size], className)} {...rest}>
      {icon}{children}
    </button>
  )
}

/** A button with an icon alone; `label` is its name. */
export function IconButton (
  { label, children, className, ...rest }: ComponentProps<'button'> & { label: string }
) {
  return (
    <button
      type='button' aria-label={label} title={label}
      className={classNames(styles.button, styles.quiet, styles.icon, className)} {...rest}
    >
      {children}
    </button>
  )
}

/** A link to another page of the dashboard that looks like a button. */
export function ButtonLink (
  { kind = 'plain', size = 'normal', icon, href, children }: Look & { href: string, children: ReactNode }
) {
  return (
    <Link href={href} className={classNames(styles.button, styles[kind], styles[size])}>{icon}{children}</Link>
  )
}
