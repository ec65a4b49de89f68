import type { Redis } from 'ioredis'
import type { RawSql } from '@tidings/service-kit'
import { pipelineReplies } from '../bullmq/pipeline-replies.ts'
import { queuePrefix, type QueueKeys } from '../bullmq/queue-keys.ts'
import { stateCode } from '../db/state-code.ts'
import type { Successor } from './bullmq-state.ts'
import type { OpenRow } from './open-rows.ts'

type Sources = { sql: RawSql, redis: Redis, queue: QueueKeys }

/** A slot belongs to a scheduler or to a deduplication id. */
const SCHEDULER = 'repeat:'
const isOfScheduler = ({ slot }: OpenRow) => slot?.startsWith(SCHEDULER) === true

/**
 * Finds the successors of jobs that are missing from BullMQ, by row number: a later job of the same user, with the same
 * id or in the same slot. If BullMQ wrote a `removed` event, the successor must be younger than that. If it wrote none,
 * an existing scheduler has replaced its job, whether its next job is known here or not, and a deduplication its
 * delayed job.
 */
export async function findSuccessors (
  { sql, redis, queue }: Sources, rows: OpenRow[]
): Promise<Map<number, Successor>> {
  const unreported = rows.filter(row => row.removed_ms === undefined && isReplaceable(row))
  const [later, present] = await Promise.all([laterRows(sql, rows), inBullmq(redis, queue, unreported)])
  return new Map([...present, ...later])
}

/** BullMQ replaces the pending jobs of schedulers, and delayed deduplicated jobs. */
function isReplaceable (row: OpenRow): boolean {
  return isOfScheduler(row) || (row.slot !== null && row.state === stateCode('delayed'))
}

/** A numeric id comes from BullMQ's counter, which restarts when a queue is obliterated: it is another job. */
async function laterRows (sql: RawSql, rows: OpenRow[]): Promise<[number, Successor][]> {
  const slots = rows.map(row => row.removed_ms !== undefined || isReplaceable(row) ? row.slot : null)
  const found = await sql<{ n: number, id: string }[]>`
    select gone.n, later.id
    from unnest(
      ${rows.map(({ n }) => n)}::bigint[], ${slots}::text[], ${rows.map(row => row.removed_ms ?? 0)}::bigint[]
    ) as missing (n, slot, removed_ms)
    join jobs.jobs gone on gone.n = missing.n
    cross join lateral (
      (select id, n from jobs.jobs later
       where later.queue = gone.queue and later.id = gone.id and gone.id !~ '^[0-9]+$' and later.user_id = gone.user_id
         and (later.generation_ms, later.generation_seq) > (gone.generation_ms, gone.generation_seq)
       order by generation_ms, generation_seq limit 1)
      union all
      (select id, n from jobs.jobs later
       where later.queue = gone.queue and later.slot = missing.slot and later.user_id = gone.user_id
         and later.n > gone.n and later.generation_ms >= missing.removed_ms
       order by later.n limit 1)
      order by n limit 1
    ) later`
  return found.map(({ n, id }) => [n, { id }])
}

async function inBullmq (redis: Redis, queue: QueueKeys, rows: OpenRow[]): Promise<[number, Successor][]> {
  if (rows.length === 0) return []
  const prefix = queuePrefix(queue)
  const pipeline = redis.pipeline()
  for (const row of rows) {
    if (isOfScheduler(row)) pipeline.zscore(`${prefix}repeat`, row.slot?.slice(SCHEDULER.length) ?? '')
    else pipeline.get(`${prefix}${row.slot}`)
  }
  const replies = await pipelineReplies<unknown>(pipeline)
  return rows.flatMap((row, i) => {
    const reply = replies[i]
    if (typeof reply !== 'string' || reply === row.id) return []
    return [[row.n, { id: isOfScheduler(row) ? undefined : reply }]]
  })
}
