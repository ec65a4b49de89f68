import { v7 as uuid } from 'uuid'
import type { Erasure } from '@tidings/contracts'
import type { EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

/** A row of jobs.erasures; `user_id` is null once every service has finished. */
export type ErasureRow = {
  id: string
  user_id: string | null
  requested_at: Date
  jobs_api_at: Date | null
  webhook_dispatcher_at: Date | null
  quiet_ms: number | null
  quiet_seq: number | null
  quiet_since: Date | null
}

/** Records a request to erase a user's data; returns the pending one if there is one. */
export async function requestErasure (sql: RawSql, userId: string, requestedBy: string): Promise<ErasureRow> {
  const [row] = await sql<ErasureRow[]>`
    with pending as (select * from jobs.erasures where user_id = ${userId} order by requested_at limit 1),
    created as (
      insert into jobs.erasures (id, user_id, requested_by)
      select ${uuid()}::uuid, ${userId}, ${requestedBy} where not exists (select from pending)
      returning *
    )
    select * from pending union all select * from created`
  return row as ErasureRow
}

export async function findErasure (sql: RawSql, id: string): Promise<ErasureRow | undefined> {
  const [row] = await sql<ErasureRow[]>`select * from jobs.erasures where id = ${id}::uuid`
  return row
}

export async function pendingRows (sql: RawSql): Promise<(ErasureRow & { user_id: string })[]> {
  return await sql<(ErasureRow & { user_id: string })[]>`
    select * from jobs.erasures where user_id is not null order by requested_at limit 100`
}

/** Records that nothing was found, with the end of the stream at that time; `undefined`: that something was found. */
export async function recordQuiet (sql: RawSql, id: string, end: EventId | undefined): Promise<void> {
  await sql`
    update jobs.erasures
    set quiet_ms = ${end?.ms ?? null}, quiet_seq = ${end?.seq ?? null}, quiet_since = case when ${end !== undefined} then now() end
    where id = ${id}::uuid`
}

export async function recordErased (sql: RawSql, id: string): Promise<void> {
  await sql`update jobs.erasures set jobs_api_at = coalesce(jobs_api_at, now()) where id = ${id}::uuid`
}

/** Records the dispatcher's report, and drops the user's id once both services have finished; then true. */
export async function recordReport (sql: RawSql, id: string, reportedMs: number | undefined): Promise<boolean> {
  const [row] = await sql<{ done: boolean }[]>`
    update jobs.erasures
    set webhook_dispatcher_at = coalesce(webhook_dispatcher_at, to_timestamp(${reportedMs ?? null}::double precision / 1000)),
      user_id = case when jobs_api_at is null or coalesce(webhook_dispatcher_at, to_timestamp(${reportedMs ?? null}::double precision / 1000)) is null then user_id end
    where id = ${id}::uuid
    returning user_id is null as done`
  return row?.done ?? false
}

export function toErasure (row: ErasureRow): Erasure {
  return {
    erasureId: row.id,
    state: row.user_id === null ? 'done' : 'pending',
    requestedAt: row.requested_at.toISOString(),
    services: {
      'jobs-api': row.jobs_api_at?.toISOString() ?? null,
      'webhook-dispatcher': row.webhook_dispatcher_at?.toISOString() ?? null
    }
  }
}
