import { sql, type SQL } from 'drizzle-orm'
import { events } from '../db/schema.ts'
import type { DeliveryRow } from './delivery-row.ts'

/** What of an event says which job it is about; null once the payload is no longer kept. */
export type EventHead = { chain: string | null, start: string | null }

/** The job that a delivery is about. */
export type Subject = { jobId: string | null, queue: string | null, name: string | null }

/** An id and a name have at most 256 and 128 characters, each of them at most six in JSON. */
const HEAD_LENGTH = 4096
const HEAD = /^\{"id":"(?:[^"\\]|\\.)*","jobname":("(?:[^"\\]|\\.)*")/

/** The columns of an event for `subjectOf`: of a payload, which may be large, its start alone. */
export const eventHead = { chain: events.chain, start: sql`left(${events.body}, ${HEAD_LENGTH})` as SQL<string | null> }

/** A chain is `<queue>:<job id>`, and no queue has a colon in its name. */
export function subjectOf ({ chain: own }: Pick<DeliveryRow, 'chain'>, head: EventHead | null): Subject {
  const chain = own ?? head?.chain ?? null
  const colon = chain?.indexOf(':') ?? -1
  const name = HEAD.exec(head?.start ?? '')?.[1]
  return {
    jobId: chain?.slice(colon + 1) ?? null,
    queue: chain?.slice(0, colon) ?? null,
    name: name === undefined ? null : JSON.parse(name) as string
  }
}
