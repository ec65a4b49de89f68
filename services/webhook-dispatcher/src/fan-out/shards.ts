import { crc32 } from 'node:zlib'
import { isNewer, type EventId, type Gap, type StreamReader } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'

/** The shard that a user's events belong to. */
export function shardOf (userId: string, shards: number): number {
  return shards === 1 ? 0 : crc32(userId) % shards
}

/**
 * Creates the rows of the positions. When INGEST_SHARDS has changed, all start
 * at the position that was furthest behind: some events are delivered twice
 * (with the same webhook-id), none is missed.
 */
export async function prepareShards (sql: RawSql, shards: number): Promise<void> {
  await sql.begin(async tx => {
    await tx`lock table webhooks.shard_positions in exclusive mode`
    const rows = await tx<{ shards: number, event_ms: number, event_seq: number }[]>`
      select shard_count as shards, event_ms, event_seq from webhooks.shard_positions order by event_ms, event_seq`
    if (rows.length === shards && rows.every(row => row.shards === shards)) return
    const { event_ms: ms, event_seq: seq } = rows[0] ?? { event_ms: 0, event_seq: 0 }
    await tx`delete from webhooks.shard_positions`
    await tx`
      insert into webhooks.shard_positions (shard, shard_count, event_ms, event_seq)
      select n, ${shards}, ${ms}, ${seq} from generate_series(0, ${shards - 1}) as n`
  })
}

type Acquisition = { shard: number, shards: number, workerId: number }

/**
 * Takes a shard that no living replica holds. Returns its position; undefined
 * where a replica holds it, or where the number of shards has changed: a replica
 * with the former number would skip events of users that it assigns to another
 * shard.
 */
export async function acquireShard (
  sql: RawSql, { shard, shards, workerId }: Acquisition
): Promise<EventId | undefined> {
  const [row] = await sql<{ ms: number, seq: number }[]>`
    update webhooks.shard_positions set worker_id = ${workerId}
    where shard = ${shard} and shard_count = ${shards} and (
      worker_id is null or worker_id = ${workerId}
      or worker_id not in (select id from webhooks.workers where lease_until > now()))
    returning event_ms as ms, event_seq as seq`
  return row
}

/** Releases a shard for any replica to take. */
export async function releaseShard (sql: RawSql, shard: number, workerId: number): Promise<void> {
  await sql`update webhooks.shard_positions set worker_id = null where shard = ${shard} and worker_id = ${workerId}`
}

type RecordedGap = Gap & { shard: number, workerId: number, position: EventId }

/** Moves a shard's position past a gap and records the gap; false when the position is no longer ours to move. */
export async function recordGap (sql: RawSql, gap: RecordedGap): Promise<boolean> {
  const { shard, workerId, position, resumeAt, reason } = gap
  const rows = await sql`
    with moved as (
      update webhooks.shard_positions set event_ms = ${resumeAt.ms}, event_seq = ${resumeAt.seq}
      where shard = ${shard} and worker_id = ${workerId} and event_ms = ${position.ms} and event_seq = ${position.seq}
      returning shard
    )
    insert into webhooks.gaps (shard, reason, from_ms, from_seq, to_ms, to_seq)
    select shard, ${reason}, ${position.ms}, ${position.seq}, ${resumeAt.ms}, ${resumeAt.seq} from moved
    returning id`
  return rows.length > 0
}

/** By how many seconds the shard that is furthest behind trails the newest event of the stream. */
export async function lagSeconds (stream: Pick<StreamReader, 'last'>, sql: Sql): Promise<number> {
  const newest = await stream.last()
  const [position] = await sql<{ ms: number, seq: number }[]>`
    select event_ms as ms, event_seq as seq from webhooks.shard_positions order by event_ms, event_seq limit 1`
  return newest && position && isNewer(newest, position) ? (newest.ms - position.ms) / 1000 : 0
}
