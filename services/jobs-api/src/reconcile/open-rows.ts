import { formatEventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import type { Doubt } from '../relay/reconcile-requests.ts'

/** An open job as its row knows it. */
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
  ours: boolean
  webhook_url: string | null
  slot: string | null
  data: Record<string, unknown> | null
  options: Record<string, unknown> | null
  is_cancelled: boolean
  /** A later job of this id is known: what BullMQ has under it is not this one. */
  is_over: boolean
  /** When BullMQ said that it removed the job, where it did. */
  removed_ms?: number
}

const columns = (sql: RawSql) => sql`
  n, queue, id, generation_ms, generation_seq, user_id, name, state, created_ms, attempts_made, event_ms, event_seq,
  ours, webhook_url, slot, data, options, cancel_requested_at is not null as is_cancelled,
  not ours and exists (
    select from jobs.jobs later where later.queue = jobs.queue and later.id = jobs.id
      and (later.generation_ms, later.generation_seq) > (jobs.generation_ms, jobs.generation_seq)
  ) as is_over`

/** The generation as events carry it; '' for jobs of ours. */
export function generationOf ({ generation_ms: ms, generation_seq: seq }: Pick<OpenRow, 'generation_ms' | 'generation_seq'>): string {
  return ms > 0 ? formatEventId({ ms, seq }) : ''
}

/** Where a walk over all open rows ends: what begins later is not in doubt. */
export async function newestRow (sql: RawSql): Promise<number> {
  const [row] = await sql<{ n: number | null }[]>`select max(n) as n from jobs.jobs`
  return row?.n ?? 0
}

/** A page of the open rows that BullMQ has, or had: an index range. */
export async function openRows (sql: RawSql, queue: string, { after, upTo, limit }: { after: number, upTo: number, limit: number }): Promise<OpenRow[]> {
  return await sql<OpenRow[]>`
    select ${columns(sql)} from jobs.jobs
    where queue = ${queue} and state < ${FIRST_FINAL_STATE} and n > ${after} and n <= ${upTo} and enqueued_at is not null
    order by n limit ${limit}`
}

/** Open rows of other producers' jobs that are in doubt: all lives of an id, one of them, or all jobs of a slot. */
export async function doubtfulRows (sql: RawSql, queue: string, doubts: Doubt[]): Promise<OpenRow[]> {
  const ids = doubts.flatMap(doubt => 'jobId' in doubt ? doubt.jobId : [])
  const slots = doubts.flatMap(doubt => 'slot' in doubt ? doubt.slot : [])
  const rows = await sql<OpenRow[]>`
    select ${columns(sql)} from jobs.jobs
    where not ours and n = any(array(
      select n from jobs.jobs where queue = ${queue} and id = any(${ids}::text[]) and state < 3
      union
      -- As it stands in the index, which is the reason for the literal: a parameter would not prove that it serves.
      select n from jobs.jobs where queue = ${queue} and slot = any(${slots}::text[]) and slot is not null and state < 3
    ))
    order by n`
  const removals = new Map(doubts.flatMap(doubt => 'jobId' in doubt && doubt.removed ? [[`${doubt.removed.generation} ${doubt.jobId}`, doubt.removed.ms]] : []))
  return rows.map(row => {
    const removed = removals.get(`${generationOf(row)} ${row.id}`)
    return removed === undefined ? row : { ...row, removed_ms: removed }
  })
}

/**
 * Open rows that told nothing for long, and whether there are no more to look at. All that were looked at count as
 * such, silent or not, so that the next call comes to others.
 */
export async function silentRows (sql: RawSql, queue: string, { silentMs, limit }: { silentMs: number, limit: number }): Promise<{ rows: OpenRow[], isEnd: boolean }> {
  const now = Date.now()
  const rows = await sql<OpenRow[]>`
    update jobs.jobs set looked_ms = ${now}
    where n in (
      select n from jobs.jobs
      where queue = ${queue} and state < ${FIRST_FINAL_STATE} and looked_ms < ${now - silentMs}
      order by looked_ms limit ${limit}
      for update skip locked
    )
    returning ${columns(sql)}, enqueued_at is not null as is_enqueued`
  const silent = rows.filter(row => (row.event_ms ?? row.created_ms) < now - silentMs && (row as OpenRow & { is_enqueued: boolean }).is_enqueued)
  return { rows: silent, isEnd: rows.length < limit }
}

/** Rows of the outbox: ours, and nothing proves that BullMQ took them. */
export async function outboxRows (sql: RawSql, queue: string, { olderThanMs, limit }: { olderThanMs: number, limit: number }): Promise<OpenRow[]> {
  return await sql<OpenRow[]>`
    select ${columns(sql)} from jobs.jobs
    where queue = ${queue} and ours and enqueued_at is null and state < ${FIRST_FINAL_STATE} and created_ms < ${Date.now() - olderThanMs}
    order by n limit ${limit}`
}

/** Which of these rows are still as they were, with whether they are to be cancelled as of now. */
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

/** Notes that BullMQ has these jobs now. Gives those that their users have asked to cancel meanwhile. */
export async function markEnqueued (sql: RawSql, rows: OpenRow[]): Promise<OpenRow[]> {
  const marked = await sql<OpenRow[]>`
    update jobs.jobs set enqueued_at = now() where n = any(${rows.map(({ n }) => n)}::bigint[])
    returning ${columns(sql)}`
  return marked.filter(row => row.is_cancelled)
}
