import type { JobWebhookEventType } from '@tidings/contracts'
import { eventIdOf, formatEventId } from '@tidings/job-events'
import { pgColumns, type RawSql } from '@tidings/service-kit'
import type { Incarnation } from './incarnations.ts'
import type { Owner } from './owner.ts'

export type KnownOwner = Owner & { isSubmittedHere: boolean, created: number }

type Row = {
  id: string
  user_id: string
  name: string
  submitted_here: boolean
  generation_ms: number
  generation_seq: number
  created_ms: number
  attempts_max: number
  is_cancelled: boolean
  webhook_url: string | null
  webhook_event_type: JobWebhookEventType | null
}

/**
 * The owners known to Postgres, in one query: for each id the latest incarnation that started at or before the entry.
 */
export async function findOwners (
  sql: RawSql, queue: string, incarnations: Incarnation[]
): Promise<Map<Incarnation, KnownOwner>> {
  if (incarnations.length === 0) return new Map()
  const { numbers } = pgColumns(incarnations.map(({ first }) => eventIdOf(first.id)))
  const rows = await sql<(Row & { place: number })[]>`
    select wanted.place::int as place, job.*
    from unnest(
      ${pgColumns(incarnations).texts('jobId')}::text[], ${numbers('ms')}::bigint[], ${numbers('seq')}::bigint[]
    ) with ordinality as wanted (id, ms, seq, place)
    cross join lateral (
      select id, user_id, name, ours as submitted_here, generation_ms, generation_seq, created_ms, attempts_max,
        cancel_requested_at is not null as is_cancelled, webhook_url, webhook_event_type
      from jobs.jobs
      where queue = ${queue} and jobs.id = wanted.id and (generation_ms, generation_seq) <= (wanted.ms, wanted.seq)
      order by generation_ms desc, generation_seq desc
      limit 1
    ) job`
  return new Map(rows.map(row => [incarnations[row.place - 1] as Incarnation, ownerOf(row)]))
}

/** The job's own webhookUrl as a row has it. */
export function ownWebhookOf (
  row: Pick<Row, 'webhook_url' | 'webhook_event_type'>
): Pick<Owner, 'webhookUrl' | 'webhookEventType'> {
  return {
    ...(row.webhook_url !== null && { webhookUrl: row.webhook_url }),
    ...(row.webhook_event_type !== null && { webhookEventType: row.webhook_event_type })
  }
}

function ownerOf (row: Row): KnownOwner {
  const generation = { ms: row.generation_ms, seq: row.generation_seq }
  return {
    userId: row.user_id,
    name: row.name,
    isSubmittedHere: row.submitted_here,
    created: row.created_ms,
    attempts: row.attempts_max,
    isCancelled: row.is_cancelled,
    ...(generation.ms > 0 && { generation: formatEventId(generation) }),
    ...ownWebhookOf(row)
  }
}
