import type { EventId } from '@tidings/job-events'
import { pgColumns, replaceNul } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'

export type SkippedEvent = { id: EventId, reason: string }

/** Characters of the reason, which may quote the content of an entry. */
const MAX_REASON = 500

/** Records events that are skipped. */
export async function recordSkipped (sql: Sql, shard: number, skipped: SkippedEvent[]): Promise<void> {
  if (skipped.length === 0) return
  const rows = skipped.map(
    ({ id, reason }) => ({ ...id, reason: replaceNul(reason.slice(0, MAX_REASON)) })
  )
  const { numbers, texts } = pgColumns(rows)
  await sql`
    insert into webhooks.skipped_events (event_ms, event_seq, shard, reason)
    select ms, seq, ${shard}, reason from unnest(${numbers('ms')}::bigint[], ${numbers('seq')}::bigint[], ${texts('reason')}::text[]) as s (ms, seq, reason)
    on conflict do nothing`
}
