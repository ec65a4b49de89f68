import { isNewer, type StreamReader } from '@tidings/job-events'
import type { Sql } from '../db/sql.ts'

/** By how much the newest event of the stream is younger than what was ingested last, in the shard that is furthest behind. */
export async function lagSeconds (stream: Pick<StreamReader, 'last'>, sql: Sql): Promise<number> {
  const newest = await stream.last()
  const [position] = await sql<{ ms: number, seq: number }[]>`
    select event_ms as ms, event_seq as seq from webhooks.positions order by event_ms, event_seq limit 1`
  return newest && position && isNewer(newest, position) ? (newest.ms - position.ms) / 1000 : 0
}
