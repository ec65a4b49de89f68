import { compareEventIds, type EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { TransactionSql } from 'postgres'

/** The row of the projector in `jobs.positions`. */
const CONSUMER = 'projector'

export type Tx = TransactionSql<{ bigint: number }>

/** Moves the position by compare-and-set; false if it is not at `from`. */
export async function movePosition (sql: RawSql | Tx, from: EventId, to: EventId): Promise<boolean> {
  if (compareEventIds(from, to) === 0) return true
  const { count } = await sql`
    update jobs.positions set event_ms = ${to.ms}, event_seq = ${to.seq}
    where follower = ${CONSUMER} and event_ms = ${from.ms} and event_seq = ${from.seq}`
  return count === 1
}

export async function readPosition (sql: RawSql): Promise<EventId> {
  const [row] = await sql<{ ms: number, seq: number }[]>`
    select event_ms as ms, event_seq as seq from jobs.positions where follower = ${CONSUMER}`
  if (!row) throw new Error('jobs.positions has no row of the projector')
  return row
}
