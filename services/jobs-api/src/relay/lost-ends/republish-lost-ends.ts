import type { FastifyBaseLogger } from 'fastify'
import type { JobEvent } from '@tidings/contracts'
import { formatEventId, type EventId, type StreamWriter } from '@tidings/job-events'
import type { RecentEnd, RecentEnds } from './recent-ends.ts'

const PAGE = 500

type RepublishContext = { queue: string, stream: StreamWriter, recentEnds: RecentEnds, minimumId: EventId }
type Context = RepublishContext & { log: FastifyBaseLogger }

/**
 * Publishes the recent ends again that the stream has lost, each with the id of its first publication: rows and
 * webhooks that have not processed it do so now, all others skip it. The job's mark holds the time of the end, so that
 * a second run of the job publishes nothing.
 */
export async function republishLostEnds ({ queue, stream, recentEnds, minimumId, log }: Context): Promise<void> {
  const ends = recentEnds.all()
  const lost = ends.slice(await countKept(ends, stream))
  const [first] = lost
  if (!first) return
  for (let at = 0; at < lost.length; at += PAGE) {
    await republish(lost.slice(at, at + PAGE), { queue, stream, recentEnds, minimumId })
  }
  const from = formatEventId(first.firstId)
  log.warn({ queue, ends: lost.length, from }, 'relay: Redis has lost ends, they were published again')
}

async function republish (
  ends: RecentEnd[], { queue, stream, recentEnds, minimumId }: RepublishContext
): Promise<void> {
  const events: JobEvent[] = ends.map(({ event }) => ({ ...event, reconciled: true }))
  const endOf = new Map(events.map((event, i) => [event, ends[i]]))
  const repeated = (event: JobEvent) => {
    const end = endOf.get(event)
    return end && { id: end.firstId, at: event.timestamp }
  }
  const position = await stream.position(queue)
  const outcome = await stream.append({ queue, from: position, to: position, events, repeated, minimumId })
  if (!outcome.moved) throw new Error(`Queue ${queue} is relayed by another replica`)
  recentEnds.republished(ends, outcome.last, outcome.ids())
}

/**
 * The number of the ends, counted from the oldest, that the stream still has. Redis loses its newest writes, in one
 * piece.
 */
async function countKept (ends: RecentEnd[], stream: StreamWriter): Promise<number> {
  const isKept = async (end: RecentEnd | undefined) => end === undefined || await stream.has(end.id)
  if (await isKept(ends.at(-1))) return ends.length
  let [kept, lost] = [0, ends.length - 1]
  while (kept < lost) {
    const middle = (kept + lost) >> 1
    if (await isKept(ends[middle])) kept = middle + 1
    else lost = middle
  }
  return kept
}
