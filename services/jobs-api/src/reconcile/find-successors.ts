import type { Redis } from 'ioredis'
import type { RawSql } from '@tidings/service-kit'
import { stateCode } from '../db/state-code.ts'
import { queuePrefix, type QueueKeys } from '../bullmq/queue-keys.ts'
import { pipelineReplies } from '../bullmq/pipeline-replies.ts'
import type { Successor } from './bullmq-state.ts'
import type { OpenRow } from './open-rows.ts'

type Sources = { sql: RawSql, redis: Redis, queue: QueueKeys }

/** A slot is one of a scheduler, or of a deduplication. */
const SCHEDULER = 'repeat:'
const isOfScheduler = ({ slot }: OpenRow) => slot?.startsWith(SCHEDULER) === true

/**
 * Who took the place of jobs that BullMQ has no more, by row number: a later
 * job of the same user, under the same id or in the same slot. Where BullMQ said
 * that it removed the job, that one must have come after it did. Where it said
 * nothing, a scheduler that still stands has replaced its job, whether its next
 * one is known here or not, and a deduplication its delayed one.
 */
export async function findSuccessors ({ sql, redis, queue }: Sources, rows: OpenRow[]): Promise<Map<number, Successor>> {
  const unsaid = rows.filter(row => row.removed_ms === undefined && isReplaceable(row))
  const [later, present] = await Promise.all([laterRows(sql, rows), inBullMQ(redis, queue, unsaid)])
  return new Map([...present, ...later])
}

/** Of deduplicated jobs BullMQ replaces those that are delayed. */
function isReplaceable (row: OpenRow): boolean {
  return isOfScheduler(row) || (row.slot !== null && row.state === stateCode('delayed'))
}

/** An id that is a number is one of BullMQ's counter, which begins anew with a queue that was obliterated: another job. */
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

async function inBullMQ (redis: Redis, queue: QueueKeys, rows: OpenRow[]): Promise<[number, Successor][]> {
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
