import type { JobTimelineEntry } from 'tidings'
import { formatDuration } from '../lib/format.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Time } from '../ui/time.tsx'
import { attemptsOf, type Attempt } from './attempts-of.ts'
import styles from './attempts.module.css'

const TONES: Record<Attempt['outcome'], Tone> = { running: 'busy', completed: 'ok', failed: 'bad' }

/** Each run of a worker: when, how long, and how it ended. */
export function Attempts ({ events, max }: { events: JobTimelineEntry[], max: number }) {
  const attempts = attemptsOf(events)
  if (attempts.length === 0) return <p className={styles.none}>No worker has started it yet.</p>
  return (
    <table className={styles.table}>
      <thead>
        <tr><th scope='col'>#</th><th scope='col'>Outcome</th><th scope='col'>Started</th><th scope='col'>Took</th></tr>
      </thead>
      <tbody>
        {attempts.map(({ number, outcome, startedAt, endedAt, error }) => (
          <tr key={number}>
            <th scope='row'>{number}</th>
            <td><Badge tone={TONES[outcome]}>{outcome}</Badge>{error && <p className={styles.error}>{error}</p>}</td>
            <td><Time at={startedAt} as='clock' /></td>
            <td>{endedAt === undefined ? '–' : formatDuration(endedAt - startedAt)}</td>
          </tr>
        ))}
      </tbody>
      <caption className={styles.caption}>{max === 1 ? 'It is not retried by itself.' : `It is started up to ${max} times.`}</caption>
    </table>
  )
}
