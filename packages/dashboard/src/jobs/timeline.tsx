import type { JobTimelineEntry } from 'tidings'
import { formatDuration } from '../lib/format.ts'
import { Badge } from '../ui/badge.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Time } from '../ui/time.tsx'
import { JobStateBadge } from './job-state.tsx'
import styles from './timeline.module.css'

/** What happened, in order, with the time since what happened before. */
export function Timeline ({ events, created, marked }: {
  events: JobTimelineEntry[]
  created: number
  /** The event that a link has led to. */
  marked: string | undefined
}) {
  if (events.length === 0) return <p className={styles.none}>Nothing has happened yet.</p>
  return (
    <ol className={styles.timeline}>
      {events.map(({ eventId, type, state, timestamp, error }, index) => {
        const since = timestamp - (events[index - 1]?.timestamp ?? created)
        return (
          <li
            key={eventId} className={styles.event} data-state={state} aria-current={eventId === marked || undefined}
          >
            <span className={styles.dot} aria-hidden />
            {type === 'added' ? <Badge dot>added</Badge> : <JobStateBadge state={state} />}
            <span className={styles.time}><Time at={timestamp} as='clock' /></span>
            <span className={styles.since}>{since > 0 && `+${formatDuration(since)}`}</span>
            <CopyButton text={eventId} name={`Copy the id of the event, ${eventId}`} />
            {error !== undefined && <p className={styles.error}>{error}</p>}
          </li>
        )
      })}
    </ol>
  )
}
