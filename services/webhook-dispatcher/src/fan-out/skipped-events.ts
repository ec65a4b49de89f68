import type { EventId } from '@tidings/job-events'
import { pgColumns } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'

export type SkippedEvent = { id: EventId, reason: string }

/** Of the reason, which may quote what an entry holds. */
const MAX_REASON = 500

/** Leaves a row about events that are left out. */
export async function recordSkipped (sql: Sql, shard: number, skipped: SkippedEvent[]): Promise<void> {
  if (skipped.length === 0) return
  const { numbers, texts } = pgColumns(skipped.map(({ id, reason }) => ({ ...id, reason: reason.slice(0, MAX_REASON).replaceAll('\0', '\uFFFD') })))
  await sql`
    insert into webhooks.skipped_events (event_ms, event_seq, shard, reason)
    select ms, seq, ${shard}, reason from unnest(${numbers('ms')}::bigint[], ${numbers('seq')}::bigint[], ${texts('reason')}::text[]) as s (ms, seq, reason)
    on conflict do nothing`
}
