import type { RawSql } from '@tidings/service-kit'
import { FIRST_FINAL_STATE, stateCode } from '../db/state-code.ts'
import type { Submission } from './submission.ts'

type IdempotencyKey = { userId: string, key: string, bodyHash: string, answer: unknown }

type InsertOptions = {
  /** The most open jobs of the user; 0: no limit. Concurrent requests may exceed it by their own jobs. */
  maxOpen: number
  key?: IdempotencyKey | undefined
}

/**
 * Inserts jobs of one user, with their counters and the request's idempotency key, in one statement: all or nothing, in
 * a single round trip.
 *
 * With a key, the jobs are inserted only if the key is new (or a day old). A second request with the same key waits for
 * the key's row until the first has committed, then finds the key used. Returns false, and inserts nothing, in that
 * case and if the jobs would exceed the user's limit of open jobs.
 */
export async function insertJobs (sql: RawSql, jobs: Submission[], { maxOpen, key }: InsertOptions): Promise<boolean> {
  const columns = columnsOf(jobs)
  const userId = jobs[0]?.userId ?? ''
  const [row] = await sql<{ written: number }[]>`
    with quota as (
      select ${maxOpen === 0} or coalesce(sum(count), 0) + ${jobs.length} <= ${maxOpen} as has_room
      from jobs.counts where user_id = ${userId} and state < ${FIRST_FINAL_STATE}
    ), key as (
      insert into jobs.idempotency_keys as taken (user_id, key, body_hash, answer, created_at)
      select ${key?.userId ?? null}::text, ${key?.key ?? null}, ${key?.bodyHash ?? null}, ${JSON.stringify(key?.answer ?? null)}::text::json, now()
      from quota where ${key !== undefined} and has_room
      on conflict (user_id, key) do update
        set body_hash = excluded.body_hash, answer = excluded.answer, created_at = excluded.created_at
        where taken.created_at < now() - interval '24 hours'
      returning 1
    ), written as (
      insert into jobs.jobs (queue, id, user_id, name, state, created_ms, attempts_max, webhook_url, webhook_event_type, data, options, ours)
      select queue, id, user_id, name, state, created_ms, attempts_max, webhook_url, webhook_event_type, data::json, options::json, true
      from unnest(
        ${columns.queue}::text[], ${columns.id}::text[], ${columns.userId}::text[], ${columns.name}::text[],
        ${columns.state}::smallint[], ${columns.createdMs}::bigint[], ${columns.attempts}::int[],
        ${columns.webhookUrl}::text[], ${columns.webhookEventType}::text[], ${columns.data}::text[], ${columns.options}::text[]
      ) as job (queue, id, user_id, name, state, created_ms, attempts_max, webhook_url, webhook_event_type, data, options)
      cross join quota where has_room and (${key === undefined} or exists (select from key))
      returning user_id, state
    ), counted as (
      insert into jobs.counts as counts (user_id, state, count)
      select user_id, state, count(*) from written group by user_id, state
      order by user_id, state -- the projector locks counters in this order too
      on conflict (user_id, state) do update set count = counts.count + excluded.count
    )
    select count(*)::int as written from written`
  return row?.written === jobs.length
}

function columnsOf (jobs: Submission[]) {
  return {
    queue: jobs.map(({ queue }) => queue),
    id: jobs.map(({ id }) => id),
    userId: jobs.map(({ userId }) => userId),
    name: jobs.map(({ name }) => name),
    state: jobs.map(({ state }) => stateCode(state)),
    createdMs: jobs.map(({ createdMs }) => createdMs),
    attempts: jobs.map(({ attempts }) => attempts),
    webhookUrl: jobs.map(({ webhookUrl }) => webhookUrl),
    webhookEventType: jobs.map(({ webhookEventType }) => webhookEventType),
    data: jobs.map(({ data }) => JSON.stringify(data)),
    options: jobs.map(({ options }) => JSON.stringify(options))
  }
}
