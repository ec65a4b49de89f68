import type { DetailedTimeline } from 'tidings'
import { formatDuration } from '../lib/format.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Time } from '../ui/time.tsx'
import styles from './attempts.module.css'

type Attempt = DetailedTimeline['attempts'][number]
type Outcome = 'running' | NonNullable<Attempt['outcome']>

const TONES: Record<Outcome, Tone> = { running: 'busy', completed: 'ok', failed: 'bad', interrupted: 'warn' }

/** Each run of a worker: when, how long, and how it ended. */
export function Attempts ({ attempts, max }: { attempts: Attempt[], max: number }) {
  if (attempts.length === 0) return <p className={styles.none}>No worker has started it yet.</p>
  return (
    <table className={styles.table}>
      <thead>
        <tr><th scope='col'>#</th><th scope='col'>Outcome</th><th scope='col'>Started</th><th scope='col'>Took</th></tr>
      </thead>
      <tbody>{attempts.map(each => <Row key={`${each.number} ${each.started}`} {...each} />)}</tbody>
      <caption className={styles.caption}>{max === 1 ? 'It is not retried by itself.' : `It is started up to ${max} times.`}</caption>
    </table>
  )
}

function Row ({ number, outcome, started, finished, error, errorTruncated }: Attempt) {
  const shown = outcome ?? 'running'
  return (
    <tr>
      <th scope='row'>{number}</th>
      <td>
        <Badge tone={TONES[shown]}>{shown}</Badge>
        {error !== undefined && <p className={styles.error}>{error}{errorTruncated && ' …'}</p>}
        {shown === 'interrupted' && error === undefined && (
          <p className={styles.none}>It went back to the queue: its worker stopped, or it waits for something.</p>
        )}
      </td>
      <td><Time at={started} as='clock' /></td>
      <td>{finished === null ? '–' : formatDuration(finished - started)}</td>
    </tr>
  )
}
