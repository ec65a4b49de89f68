import { crc32 } from 'node:zlib'
import { isNewer, type EventId, type Gap, type StreamReader } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'

/** Which shard a user's events belong to. */
export function shardOf (userId: string, shards: number): number {
  return shards === 1 ? 0 : crc32(userId) % shards
}

/**
 * Makes the rows of the positions. When INGEST_SHARDS changed, all begin at the
 * position that was furthest behind: some events are told twice (with the same
 * webhook-id), none is missed.
 */
export async function prepareShards (sql: RawSql, shards: number): Promise<void> {
  await sql.begin(async tx => {
    await tx`lock table webhooks.positions in exclusive mode`
    const rows = await tx<{ shards: number, event_ms: number, event_seq: number }[]>`
      select shards, event_ms, event_seq from webhooks.positions order by event_ms, event_seq`
    if (rows.length === shards && rows.every(row => row.shards === shards)) return
    const { event_ms: ms, event_seq: seq } = rows[0] ?? { event_ms: 0, event_seq: 0 }
    await tx`delete from webhooks.positions`
    await tx`
      insert into webhooks.positions (shard, shards, event_ms, event_seq)
      select n, ${shards}, ${ms}, ${seq} from generate_series(0, ${shards - 1}) as n`
  })
}

type Acquisition = { shard: number, shards: number, workerId: number }

/**
 * Takes a shard that no living replica holds; its position, or undefined where
 * one does, or where the number of shards is another by now: whoever was
 * started with the former one would pass over events of users it takes for
 * somebody else's.
 */
export async function acquireShard (sql: RawSql, { shard, shards, workerId }: Acquisition): Promise<EventId | undefined> {
  const [row] = await sql<{ ms: number, seq: number }[]>`
    update webhooks.positions set claimant = ${workerId}
    where shard = ${shard} and shards = ${shards} and (
      claimant is null or claimant = ${workerId}
      or claimant not in (select id from webhooks.claimants where lease_until > now()))
    returning event_ms as ms, event_seq as seq`
  return row
}

/** Leaves a shard to whoever takes it next. */
export async function releaseShard (sql: RawSql, shard: number, workerId: number): Promise<void> {
  await sql`update webhooks.positions set claimant = null where shard = ${shard} and claimant = ${workerId}`
}

/** Moves a shard's position over a gap and leaves a row about it; false when the position is not ours to move. */
export async function recordGap (sql: RawSql, { shard, workerId, position, resumeAt, reason }: Gap & { shard: number, workerId: number, position: EventId }): Promise<boolean> {
  const rows = await sql`
    with moved as (
      update webhooks.positions set event_ms = ${resumeAt.ms}, event_seq = ${resumeAt.seq}
      where shard = ${shard} and claimant = ${workerId} and event_ms = ${position.ms} and event_seq = ${position.seq}
      returning shard
    )
    insert into webhooks.gaps (shard, reason, from_ms, from_seq, to_ms, to_seq)
    select shard, ${reason}, ${position.ms}, ${position.seq}, ${resumeAt.ms}, ${resumeAt.seq} from moved
    returning id`
  return rows.length > 0
}

/** By how much the newest event of the stream is younger than what was ingested last, in the shard that is furthest behind. */
export async function lagSeconds (stream: Pick<StreamReader, 'last'>, sql: Sql): Promise<number> {
  const newest = await stream.last()
  const [position] = await sql<{ ms: number, seq: number }[]>`
    select event_ms as ms, event_seq as seq from webhooks.positions order by event_ms, event_seq limit 1`
  return newest && position && isNewer(newest, position) ? (newest.ms - position.ms) / 1000 : 0
}
