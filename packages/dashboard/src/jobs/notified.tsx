import { useEffect } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Check, Clock } from 'lucide-react'
import { Link } from 'wouter'
import type { DeliverySummary, Job, JobDeliveries, JobTimelineEntry } from 'tidings'
import { untilNextAttempt } from '../deliveries/until-next-attempt.ts'
import { partsOf } from '../lib/event-id.ts'
import { formatDuration } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import styles from './notified.module.css'

/** The dispatcher takes an event up a moment after it is seen here. */
const SOON_MS = 2000
/** So long after an event its deliveries may only come into being: the dispatcher may be behind, or restart. */
const YOUNG_MS = 60_000
const POLL_YOUNG_MS = 5000
const TONES: Record<string, Tone> = { delivered: 'ok', failed: 'bad', pending: 'busy' }

interface Event { eventId: string, type: string, timestamp?: number, deliveries: DeliverySummary[] }

/** Who was notified about each event: everyone who was connected, everyone who polls, and each webhook. */
export function Notified ({ job, jobKey, events, arrivals, marked }: {
  job: Job
  jobKey: unknown[]
  /** The event that a link has led to. */
  marked: string | undefined
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
      untilNextAttempt(data?.events.flatMap(({ deliveries }) => deliveries) ?? []) ??
        (isYoung(job.lastEventId) ? POLL_YOUNG_MS : false)
  })
  useEffect(() => {
    if (!mayRead) return
    const timer = setTimeout(() => { refetch().catch(() => {}) }, SOON_MS) // `error` has what went wrong
    return () => clearTimeout(timer)
  }, [job.lastEventId, refetch, mayRead])

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
                    <tr
                      key={eventId} ref={eventId === marked ? showOnce : undefined}
                      aria-current={eventId === marked || undefined}
                    >
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

const shown = new WeakSet<Element>()

/** What a link has led to is scrolled to, but not again while one reads on. */
function showOnce (row: Element | null) {
  if (!row || shown.has(row)) return
  shown.add(row)
  row.scrollIntoView({ block: 'center' })
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

/** All that channels carry, and the progress that went to webhooks, newest last. */
function merge (timeline: JobTimelineEntry[], notified: NotifiedEvent[]): Event[] {
  // That a job was added is a line of the timeline only: what is sent is that it waits, or is delayed.
  const sent = timeline.filter(({ type }) => type !== 'added')
  const rows = new Map<string, Event>(sent.map(({ eventId, state, timestamp }) =>
    [eventId, { eventId, type: state, timestamp, deliveries: [] }]))
  for (const { eventId, eventType, deliveries } of notified) {
    const row = rows.get(eventId)
    rows.set(eventId, { ...(row ?? { eventId, type: eventType.replace('job.', '') }), deliveries })
  }
  return [...rows.values()].toSorted(byId)
}

function byId (one: Event, other: Event): number {
  const [a, b] = [partsOf(one.eventId), partsOf(other.eventId)]
  return a.ms - b.ms || a.number - b.number
}

/** An event id begins with its time. */
const isYoung = (eventId: string | null) => Date.now() - partsOf(eventId ?? '').ms < YOUNG_MS
