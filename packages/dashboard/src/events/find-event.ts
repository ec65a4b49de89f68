import type { Client } from 'tidings'
import { partsOf, positionBefore } from '../lib/event-id.ts'

export interface FoundEvent {
  /** Null for a delivery that is about no job, or whose job is not known any more. */
  jobId: string | null
  queue: string | null
}

export interface FindOptions {
  signal: AbortSignal
  mayReadJobs: boolean
  mayReadDeliveries: boolean
}

/** The relay takes an event from BullMQ a moment after it happened; after an outage later. */
const LATE_MS = 60_000
/** Clocks of workers differ from that of Redis. */
const EARLY_MS = 5000
/** Of the jobs that finished about then so many are looked at. */
const MAX_JOBS = 500

/**
 * The job of an event. What went to a webhook is found by its delivery, the end of a job by the jobs that finished
 * about then, and anything else in the stream of events, as long as that holds it.
 */
export async function findEvent (
  client: Client, eventId: string, { signal, mayReadJobs, mayReadDeliveries }: FindOptions
): Promise<FoundEvent | undefined> {
  const delivered = mayReadDeliveries ? await ofDelivery(client, eventId, signal) : undefined
  if (delivered || !mayReadJobs) return delivered
  return await ofFinishedJob(client, eventId, signal) ?? await ofStream(client, eventId, signal)
}

async function ofDelivery (client: Client, eventId: string, signal: AbortSignal): Promise<FoundEvent | undefined> {
  const { deliveries: [delivery] } = await client.deliveries.list({ eventId, limit: 1, signal }).page()
  return delivery
}

async function ofFinishedJob (client: Client, eventId: string, signal: AbortSignal): Promise<FoundEvent | undefined> {
  const { ms } = partsOf(eventId)
  const query = { sort: 'finished', from: ms - LATE_MS, to: ms + EARLY_MS, limit: 100, signal } as const
  let seen = 0
  for await (const { id, queue, lastEventId } of client.jobs.list(query)) {
    if (lastEventId === eventId) return { jobId: id, queue }
    if (++seen === MAX_JOBS) return undefined
  }
  return undefined
}

async function ofStream (client: Client, eventId: string, signal: AbortSignal): Promise<FoundEvent | undefined> {
  const events = client.events({ since: positionBefore(eventId), signal })
  try {
    const first = events.next()
    // Then what was missed has come; without it there is nothing to wait for.
    const none = events.ready().then(() => new Promise<undefined>(resolve => { setTimeout(resolve, 0) }))
    const item = (await Promise.race([first, none]))?.value
    if (!item || item.type === 'gap' || item.eventId !== eventId) return undefined
    return { jobId: item.jobId, queue: 'queue' in item ? item.queue : null }
  } finally {
    events.close()
  }
}
