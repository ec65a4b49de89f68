import type { EventId, Gap } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

/** Moves a shard's position over a gap and leaves a row about it; false when the position is not ours to move. */
export async function recordGap (sql: RawSql, { shard, claim, position, resumeAt, reason }: Gap & { shard: number, claim: number, position: EventId }): Promise<boolean> {
  const rows = await sql`
    with moved as (
      update webhooks.positions set event_ms = ${resumeAt.ms}, event_seq = ${resumeAt.seq}
      where shard = ${shard} and claimant = ${claim} and event_ms = ${position.ms} and event_seq = ${position.seq}
      returning shard
    )
    insert into webhooks.gaps (shard, reason, from_ms, from_seq, to_ms, to_seq)
    select shard, ${reason}, ${position.ms}, ${position.seq}, ${resumeAt.ms}, ${resumeAt.seq} from moved
    returning id`
  return rows.length > 0
}
