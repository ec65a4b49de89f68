import { useEffect } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Check, Clock } from 'lucide-react'
import { Link } from 'wouter'
import type { DeliverySummary, Job, JobDeliveries, JobTimelineEntry } from 'tidings'
import { formatDuration } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import styles from './notified.module.css'

/** While deliveries are under way. */
const POLL_MS = 2000
/** So long after an event its deliveries may only come into being: the dispatcher may be behind, or restart. */
const YOUNG_MS = 60_000
const POLL_YOUNG_MS = 5000
const TONES: Record<string, Tone> = { delivered: 'ok', failed: 'bad', pending: 'busy' }

interface Event { eventId: string, type: string, timestamp?: number, deliveries: DeliverySummary[] }

/** Who was notified about each event: everyone who was connected, everyone who polls, and each webhook. */
export function Notified ({ job, jobKey, events, arrivals }: {
  job: Job
  jobKey: unknown[]
  events: JobTimelineEntry[]
  arrivals: ReadonlyMap<string, number>
}) {
  const client = useClient()
  const mayRead = useCan('webhooks:read')
  const { data, error, refetch } = useQuery({
    queryKey: [...jobKey, 'deliveries'],
    queryFn: ({ signal }) => client.jobs.deliveries(job.id, { signal, queue: job.queue }),
    enabled: mayRead,
    refetchInterval: ({ state: { data } }) =>
      data?.events.some(isUnderWay) ? POLL_MS : isYoung(job.lastEventId) ? POLL_YOUNG_MS : false
  })
  // The dispatcher reads the event a moment after it is seen here.
  useEffect(() => {
    const timer = setTimeout(() => { refetch().catch(() => {}) }, POLL_MS) // `error` has what went wrong
    return () => clearTimeout(timer)
  }, [job.lastEventId, refetch])

  const rows = merge(events, data?.events ?? [])
  return (
    <Panel title='Who was notified' note='One id for each event, in every channel' isFlush>
      {error && !data
        ? <ErrorView error={error} onRetry={refetch} />
        : rows.length === 0
          ? <Loading rows={2} />
          : (
            <div className={styles.scroll} tabIndex={0} role='region' aria-label='Who was notified'>
              <table className={styles.table}>
                <thead>
                  <tr>
                    <th scope='col'>Event</th>
                    <th scope='col'>Sockets and streams</th>
                    <th scope='col'>Polling</th>
                    <th scope='col'>Webhooks</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map(({ eventId, type, timestamp, deliveries }) => (
                    <tr key={eventId}>
                      <th scope='row'>
                        <span className={styles.type}>{type}</span>{' '}
                        {timestamp !== undefined && <Time at={timestamp} as='clock' />}
                        <span className={styles.id}>
                          <code>{eventId}</code><CopyButton text={eventId} name='Copy the id of the event' />
                        </span>
                      </th>
                      <td>
                        <Done />sent{arrivals.has(eventId) && `, here after ${formatDuration(arrivals.get(eventId) ?? 0)}`}
                      </td>
                      <td><Done />visible</td>
                      <td>
                        {deliveries.length === 0
                          ? <span className={styles.none}>{mayRead ? 'none' : 'needs webhooks:read'}</span>
                          : (
                            <ul className={styles.deliveries}>
                              {deliveries.map(each => <Delivery key={each.id} delivery={each} />)}
                            </ul>
                            )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            )}
    </Panel>
  )
}

function Done () {
  return <Check size={14} className={styles.done} aria-hidden />
}

function Delivery ({ delivery: { id, url, status, attemptCount, statusCode, errorClass, nextAttemptAt } }: {
  delivery: DeliverySummary
}) {
  return (
    <li>
      <Link href={`/deliveries/${id}`} className={styles.url}>{hostOf(url)}</Link>
      <Badge tone={TONES[status] ?? 'idle'}>{status}</Badge>
      <span className={styles.none}>
        {attemptCount} {attemptCount === 1 ? 'attempt' : 'attempts'}
        {statusCode !== null ? `, ${statusCode}` : errorClass !== null && `, ${errorClass}`}
      </span>
      {nextAttemptAt !== null && (
        <span className={styles.none}>
          <Clock size={12} aria-hidden /> next <Time at={nextAttemptAt} as='relative' />
        </span>
      )}
    </li>
  )
}

const hostOf = (url: string) => URL.canParse(url) ? new URL(url).host + new URL(url).pathname.replace(/\/$/, '') : url

type NotifiedEvent = JobDeliveries['events'][number]

const isUnderWay = ({ deliveries }: NotifiedEvent) => deliveries.some(({ status }) => status === 'pending')

/** All that happened, and the progress that went to webhooks, newest last. */
function merge (timeline: JobTimelineEntry[], notified: NotifiedEvent[]): Event[] {
  const rows = new Map<string, Event>(timeline.map(({ eventId, state, timestamp }) =>
    [eventId, { eventId, type: state, timestamp, deliveries: [] }]))
  for (const { eventId, eventType, deliveries } of notified) {
    const row = rows.get(eventId)
    rows.set(eventId, { ...(row ?? { eventId, type: eventType.replace('job.', '') }), deliveries })
  }
  return [...rows.values()].toSorted((a, b) => orderOf(a.eventId) - orderOf(b.eventId))
}

/** Ids are pairs of integers: milliseconds, and a number among those of the same millisecond. */
function orderOf (eventId: string): number {
  const [first = 0, second = 0] = eventId.split('-').map(Number)
  return first + second / 1e6
}

/** An event id begins with its time. */
const isYoung = (eventId: string | null) => Date.now() - Number.parseInt(eventId ?? '0') < YOUNG_MS
