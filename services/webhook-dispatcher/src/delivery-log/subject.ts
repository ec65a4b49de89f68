import { sql, type SQL } from 'drizzle-orm'
import { events } from '../db/schema.ts'
import type { DeliveryRow } from './delivery-row.ts'

/** The parts of an event that identify its job; null once the payload is no longer kept. */
export type EventHead = { orderingKey: string | null, start: string | null }

/** The job that a delivery is about. */
export type Subject = { jobId: string | null, queue: string | null, name: string | null }

/** An id and a name have at most 256 and 128 characters, each at most six bytes in JSON. */
export const HEAD_LENGTH = 4096
const HEAD = /^\{"id":"(?:[^"\\]|\\.)*","jobname":("(?:[^"\\]|\\.)*")/

/** The same regular expression for Postgres; it captures the name as JSON. */
export const EVENT_HEAD = HEAD.source

/** The columns of an event for `subjectOf`: only the start of the payload, which may be large. */
export const eventHead = {
  orderingKey: events.orderingKey, start: sql`left(${events.body}, ${HEAD_LENGTH})` as SQL<string | null>
}

/** An ordering key is `<queue>:<job id>`, and the name of a queue has no colon. */
export function subjectOf ({ orderingKey: own }: Pick<DeliveryRow, 'orderingKey'>, head: EventHead | null): Subject {
  const key = own ?? head?.orderingKey ?? null
  const colon = key?.indexOf(':') ?? -1
  const name = HEAD.exec(head?.start ?? '')?.[1]
  return {
    jobId: key?.slice(colon + 1) ?? null,
    queue: key?.slice(0, colon) ?? null,
    name: name === undefined ? null : JSON.parse(name) as string
  }
}
