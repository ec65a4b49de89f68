import { useEffect, useState, type ReactNode } from 'react'
import { TidingsError } from 'tidings'
import { CircleAlert, Inbox, Lock, Unplug } from 'lucide-react'
import { Button } from './button.tsx'
import { CopyButton } from './copy-button.tsx'
import styles from './states.module.css'

/** Before this, most answers are there: a skeleton that flashes is worse than none. */
const DELAY_MS = 200

/** Stands where something is on its way. */
export function Loading ({ rows = 6, label = 'Loading' }: { rows?: number, label?: string }) {
  const [isShown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(setShown, DELAY_MS, true)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div role='status' aria-label={label} className={styles.loading}>
      {isShown && Array.from({ length: rows }, (_, index) => <div key={index} className={styles.bone} />)}
    </div>
  )
}

/** Says that there is nothing, why, and what to do about it. */
export function Empty ({ title, icon, children }: { title: string, icon?: ReactNode, children?: ReactNode }) {
  return (
    <div className={styles.state}>
      <span className={styles.icon} aria-hidden>{icon ?? <Inbox size={22} />}</span>
      <p className={styles.title}>{title}</p>
      {children && <div className={styles.text}>{children}</div>}
    </div>
  )
}

/** An error in words: of a response (RFC 9457) its title, detail, faults, and what finds it in the logs. */
export function ErrorView ({ error, onRetry }: { error: unknown, onRetry?: (() => unknown) | undefined }) {
  const { title, detail, instance, faults, icon } = describeError(error)
  return (
    <div role='alert' className={styles.state}>
      <span className={styles.icon} aria-hidden>{icon}</span>
      <p className={styles.title}>{title}</p>
      {detail && <p className={styles.text}>{detail}</p>}
      {faults.length > 0 && (
        <ul className={styles.faults}>
          {faults.map(({ path, message }) => <li key={path + message}><code>{path}</code> {message}</li>)}
        </ul>
      )}
      <div className={styles.actions}>
        {onRetry && <Button onClick={onRetry}>Try again</Button>}
        {instance && <CopyButton text={instance} label='Copy the id of the request' />}
      </div>
    </div>
  )
}

const ALERT = <CircleAlert size={22} />
const NO_RESPONSE = 'The request got no response.'

/** What a toast or a page says about an error. */
export function describeError (error: unknown) {
  const known = error instanceof TidingsError ? error : undefined
  const { problem, code } = known ?? {}
  return {
    title: titleOf(known, error),
    detail: problem?.detail ?? (code === 'network' ? NO_RESPONSE : undefined),
    instance: problem?.instance,
    faults: problem?.errors ?? [],
    icon: code === 'forbidden' ? <Lock size={22} /> : code === 'network' ? <Unplug size={22} /> : ALERT
  }
}

function titleOf (known: TidingsError | undefined, error: unknown): string {
  switch (known?.code) {
    case 'network': return 'Tidings cannot be reached'
    case 'timeout': return 'Tidings took too long to respond'
    case 'unavailable': return 'A service is away at the moment'
    case 'forbidden': return 'Your token does not allow this'
    case 'rate_limited': return 'Too many requests: wait a moment'
    case undefined: return error instanceof Error ? error.message : String(error)
    default: return known?.problem?.title ?? known?.message ?? 'Something went wrong'
  }
}
