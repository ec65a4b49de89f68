import type { DetailedTimeline, Job } from 'tidings'
import { formatDuration } from '../lib/format.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Time } from '../ui/time.tsx'
import styles from './attempts.module.css'

type Attempt = DetailedTimeline['attempts'][number]
type Outcome = 'running' | NonNullable<Attempt['outcome']>

const TONES: Record<Outcome, Tone> = { running: 'busy', completed: 'ok', failed: 'bad', interrupted: 'warn' }

/** `2 of 3`; `2 (1 planned)` where more were made than were submitted. */
export const attemptsText = ({ made, max }: Job['attempts']): string =>
  made <= max ? `${made} of ${max}` : `${made} (${max} planned)`

/** BullMQ counts a retry on request as one attempt more: after it a failed job is not retried by itself. */
function planText ({ made, max }: Job['attempts']): string {
  if (made > max) return `${max} planned: a retry on request, or a worker that was lost, adds one.`
  return max === 1 ? 'It is not retried by itself.' : `It is started up to ${max} times.`
}

/** Each run of a worker: when, how long, and how it ended. */
export function Attempts ({ attempts, made, max }: { attempts: Attempt[] } & Job['attempts']) {
  if (attempts.length === 0) return <p className={styles.none}>No worker has started it yet.</p>
  return (
    <table className={styles.table}>
      <thead>
        <tr><th scope='col'>#</th><th scope='col'>Outcome</th><th scope='col'>Started</th><th scope='col'>Took</th></tr>
      </thead>
      <tbody>{attempts.map(each => <Row key={`${each.number} ${each.started}`} {...each} />)}</tbody>
      <caption className={styles.caption}>{planText({ made, max })}</caption>
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
