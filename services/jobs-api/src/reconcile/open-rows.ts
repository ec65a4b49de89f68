import type { JobWebhookEventType } from '@tidings/contracts'
import { formatEventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import type { ReconcileTarget } from '../relay/mapping/reconcile-requests.ts'

/** The row of an open job. */
export type OpenRow = {
  n: number
  queue: string
  id: string
  generation_ms: number
  generation_seq: number
  user_id: string
  name: string
  state: number
  created_ms: number
  attempts_made: number
  event_ms: number | null
  event_seq: number | null
  submitted_here: boolean
  webhook_url: string | null
  webhook_event_type: JobWebhookEventType | null
  slot: string | null
  data: Record<string, unknown> | null
  options: Record<string, unknown> | null
  is_cancelled: boolean
  /** A later job with this id is known: BullMQ's hash of the id is not this job's. */
  is_succeeded: boolean
  /** When BullMQ removed the job, if it wrote an event about it. */
  removed_ms?: number
}

const columns = (sql: RawSql) => sql`
  n, queue, id, generation_ms, generation_seq, user_id, name, state, created_ms, attempts_made, event_ms, event_seq,
  ours as submitted_here, webhook_url, webhook_event_type, slot, data, options, cancel_requested_at is not null as is_cancelled,
  not ours and exists (
    select from jobs.jobs later where later.queue = jobs.queue and later.id = jobs.id
      and (later.generation_ms, later.generation_seq) > (jobs.generation_ms, jobs.generation_seq)
  ) as is_succeeded`

/** The generation in the format of events; '' for submitted jobs. */
export function generationOf (
  { generation_ms: ms, generation_seq: seq }: Pick<OpenRow, 'generation_ms' | 'generation_seq'>
): string {
  return ms > 0 ? formatEventId({ ms, seq }) : ''
}

/** The end of a walk over all open rows: later jobs need no comparison. */
export async function newestRow (sql: RawSql): Promise<number> {
  const [row] = await sql<{ n: number | null }[]>`select max(n) as n from jobs.jobs`
  return row?.n ?? 0
}

type Page = { after: number, upTo: number, limit: number }

/** A page of the open rows that BullMQ has, or had: an index range. */
export async function openRows (sql: RawSql, queue: string, { after, upTo, limit }: Page): Promise<OpenRow[]> {
  return await sql<OpenRow[]>`
    select ${columns(sql)} from jobs.jobs
    where queue = ${queue} and state < ${FIRST_FINAL_STATE} and n > ${after} and n <= ${upTo} and enqueued_at is not null
    order by n limit ${limit}`
}

/**
 * The open rows whose comparison was requested, of other producers' jobs and of cancelled ones: all incarnations of an
 * id, one of them, or all jobs of a slot.
 */
export async function requestedRows (sql: RawSql, queue: string, targets: ReconcileTarget[]): Promise<OpenRow[]> {
  const ids = targets.flatMap(target => 'jobId' in target ? target.jobId : [])
  const slots = targets.flatMap(target => 'slot' in target ? target.slot : [])
  const rows = await sql<OpenRow[]>`
    select ${columns(sql)} from jobs.jobs
    where (not ours or cancel_requested_at is not null) and n = any(array(
      select n from jobs.jobs where queue = ${queue} and id = any(${ids}::text[]) and state < 3
      union
      -- As in the index's condition, hence the literal: with a parameter Postgres could not prove that the index applies.
      select n from jobs.jobs where queue = ${queue} and slot = any(${slots}::text[]) and slot is not null and state < 3
    ))
    order by n`
  const removals = new Map(targets.flatMap(target =>
    'jobId' in target && target.removed ? [[`${target.removed.generation} ${target.jobId}`, target.removed.ms]] : []))
  return rows.map(row => {
    const removed = removals.get(`${generationOf(row)} ${row.id}`)
    return removed === undefined ? row : { ...row, removed_ms: removed }
  })
}

type SilentRows = { rows: OpenRow[], isEnd: boolean }

/**
 * The open rows without an event for `silentMs`, and whether no more are left to read. Every row that was read is
 * marked as compared now (`looked_ms`), silent or not, so that the next call reads others.
 */
export async function silentRows (
  sql: RawSql, queue: string, { silentMs, limit }: { silentMs: number, limit: number }
): Promise<SilentRows> {
  const now = Date.now()
  const rows = await sql<(OpenRow & { is_enqueued: boolean })[]>`
    update jobs.jobs set looked_ms = ${now}
    where n in (
      select n from jobs.jobs
      where queue = ${queue} and state < ${FIRST_FINAL_STATE} and looked_ms < ${now - silentMs}
      order by looked_ms limit ${limit}
      for update skip locked
    )
    returning ${columns(sql)}, enqueued_at is not null as is_enqueued`
  const silent = rows.filter(row => row.is_enqueued && (row.event_ms ?? row.created_ms) < now - silentMs)
  return { rows: silent, isEnd: rows.length < limit }
}

/** Rows of the outbox: submitted jobs that BullMQ has not accepted, as far as is known. */
export async function outboxRows (
  sql: RawSql, queue: string, { olderThanMs, limit }: { olderThanMs: number, limit: number }
): Promise<OpenRow[]> {
  return await sql<OpenRow[]>`
    select ${columns(sql)} from jobs.jobs
    where queue = ${queue} and ours and enqueued_at is null and state < ${FIRST_FINAL_STATE} and created_ms < ${Date.now() - olderThanMs}
    order by n limit ${limit}`
}

/** Those of the rows that are unchanged, as they are now: they may have been cancelled meanwhile. */
export async function unchangedRows (sql: RawSql, rows: OpenRow[]): Promise<OpenRow[]> {
  const fresh = await sql<OpenRow[]>`
    select ${columns(sql)} from jobs.jobs
    where n = any(${rows.map(({ n }) => n)}::bigint[]) and state < ${FIRST_FINAL_STATE}`
  const byNumber = new Map(fresh.map(row => [row.n, row]))
  return rows.flatMap(before => {
    const row = byNumber.get(before.n)
    return row && row.event_ms === before.event_ms && row.event_seq === before.event_seq ? [row] : []
  })
}

/** Records that BullMQ has these jobs now. Returns those that their users have asked to cancel meanwhile. */
export async function markEnqueued (sql: RawSql, rows: OpenRow[]): Promise<OpenRow[]> {
  const marked = await sql<OpenRow[]>`
    update jobs.jobs set enqueued_at = now() where n = any(${rows.map(({ n }) => n)}::bigint[])
    returning ${columns(sql)}`
  return marked.filter(row => row.is_cancelled)
}
