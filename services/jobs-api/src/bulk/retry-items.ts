import type { Job, JobsOptions, Queue } from 'bullmq'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { cancelKey } from '@tidings/contracts'
import { compareEventIds, createStreamReader, eventIdOf, type StreamWriter } from '@tidings/job-events'
import { numberArray, type ItemOutcome, type RawSql } from '@tidings/service-kit'
import { eventStreamInfo } from '../bullmq/event-stream.ts'
import { queuedJob } from '../commands/queued-job.ts'
import { stateCode } from '../db/state-code.ts'
import type { ProjectionProgress } from '../projector/projection-progress.ts'
import { done, eachOf, failed, skipped, writeIntents, type Item, type ItemRow } from './items.ts'
import { retryIfUnchanged, runOf } from './retry-if-unchanged.ts'

const FAILED = stateCode('failed')
/** The intent for a job that BullMQ does not have any more: to add it again. */
const ADD = 'add'
const CATCH_UP_TIMEOUT_MS = 10_000
const CATCH_UP_CHECK_MS = 50

const CHANGED = 'The job has changed since the request'
const GONE = 'The job is no longer kept'
const NOT_RELAYED = 'The queue of this job is not relayed any more'
const FORGOTTEN = 'The queue does not have this job any more: submit it again'

export type RetryContext = {
  sql: RawSql
  redis: Redis
  findQueue: (name: string) => Queue
  projection: ProjectionProgress
  stream: Pick<StreamWriter, 'position'>
  userId: string
}

type Open = { item: Item, row: ItemRow, queue: Queue }
/** A job in BullMQ, or its arguments for another add. */
type Begun = Open & ({ job: Job, run: string } | { job: undefined, outbox: Outbox })
type Outbox = { n: number, data: Record<string, unknown>, options: JobsOptions }

/**
 * Retries jobs, each exactly once however often this is repeated: what is to be done is written first, with the run of
 * the job that had failed, and done only while that run is the job's last one.
 */
export async function retryItems (bulk: number, items: Item[], context: RetryContext): Promise<ItemOutcome[]> {
  const { sql, redis, findQueue, userId } = context
  const outcomes: ItemOutcome[] = []
  const open: Open[] = []
  for (const item of items) {
    const { row, intent } = item
    const queue = row && relayed(row.queue, findQueue)
    if (!row) outcomes.push(intent === null ? skipped(item, GONE) : done(item))
    else if (!queue) outcomes.push(failed(item, NOT_RELAYED))
    else if (intent === null && hasChanged(item, row)) outcomes.push(skipped(item, CHANGED))
    else open.push({ item, row, queue })
  }
  if (open.some(({ item }) => item.intent === ADD)) await catchUp(open.map(({ queue }) => queue), context)
  const found = await eachOf(open, async one => ({
    ...one, ...await queuedJob(one.row, { userId, queue: one.queue })
  }))
  const outboxes = await readOutboxes(sql, found.filter(({ job }) => !job).map(({ row }) => row.n))

  const begun: Begun[] = []
  for (const { job, isOther, ...one } of found) {
    const outbox = outboxes.get(one.row.n)
    const { item } = one
    if (item.intent === ADD) {
      // Added, by this bulk action, before it was interrupted: BullMQ has the job, or its events have arrived here.
      const isAdded = job !== undefined || await hasMoved(sql, item, one.row)
      if (isAdded || !outbox) outcomes.push(done(item))
      else begun.push({ ...one, job: undefined, outbox })
    } else if (item.intent !== null) {
      if (job) begun.push({ ...one, job, run: item.intent })
      else outcomes.push(done(item)) // retried, then removed
    } else if (job?.finishedOn) begun.push({ ...one, job, run: runOf(job) })
    else if (job) outcomes.push(skipped(item, CHANGED))
    else if (outbox && one.row.submitted_here && !isOther) begun.push({ ...one, job: undefined, outbox })
    else outcomes.push(failed(item, FORGOTTEN))
  }

  // Of an item that was begun before, a cancel request may be a later one.
  const fresh = begun.filter(({ item }) => item.intent === null)
  await withdrawCancelRequests(sql, redis, fresh.map(({ row }) => row))
  await writeIntents(sql, bulk, fresh.map(one => ({ place: one.item.place, intent: one.job ? one.run : ADD })))
  return [...outcomes, ...await eachOf(begun, async one => await retry(one, redis))]
}

/** Not retried means retried before: by this bulk action, or by a request of the same moment. */
async function retry (one: Begun, redis: Redis): Promise<ItemOutcome> {
  const { item, row, queue } = one
  try {
    if (one.job) await retryIfUnchanged(redis, queue, one.job, one.run)
    else await queue.add(row.name, one.outbox.data, { ...one.outbox.options, delay: 0 })
  } catch (err) {
    await redis.ping() // while Redis is away the fault is not the job's, and the whole page is repeated
    return failed(item, (err as Error).message)
  }
  return done(item)
}

function relayed (name: string, findQueue: (name: string) => Queue): Queue | undefined {
  try {
    return findQueue(name)
  } catch (err) {
    if (err instanceof RangeError) return undefined
    throw err
  }
}

function hasChanged (item: Item, row: ItemRow): boolean {
  return row.state !== FAILED || row.event_ms !== item.seen_ms || row.event_seq !== item.seen_seq
}

/** Whether the row has events after the one that was seen at the request. Reads it again. */
async function hasMoved (sql: RawSql, { seen_ms: ms, seen_seq: seq }: Item, { n }: ItemRow): Promise<boolean> {
  const [row] = await sql`
    select from jobs.jobs where n = ${n} and event_ms is not distinct from ${ms} and event_seq is not distinct from ${seq}`
  return row === undefined
}

async function readOutboxes (sql: RawSql, numbers: number[]): Promise<Map<number, Outbox>> {
  if (numbers.length === 0) return new Map()
  const rows = await sql<Outbox[]>`
    select n, data, options from jobs.jobs
    where n = any(${numberArray(numbers)}::bigint[]) and data is not null and options is not null`
  return new Map(rows.map(row => [row.n, row]))
}

/** First, since otherwise the workers would be signalled to stop at once. */
async function withdrawCancelRequests (sql: RawSql, redis: Redis, rows: ItemRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    update jobs.jobs set cancel_requested_at = null where n in (
      select n from jobs.jobs
      where n = any(${numberArray(rows.map(({ n }) => n))}::bigint[]) and cancel_requested_at is not null
      order by n for update)`
  await redis.del(...rows.map(({ queue, id }) => cancelKey(queue, id)))
}

/** Waits until the rows have every event that BullMQ has written to these queues until now. */
async function catchUp (queues: Queue[], { redis, stream, projection }: RetryContext): Promise<void> {
  const until = Date.now() + CATCH_UP_TIMEOUT_MS
  for (const queue of new Set(queues)) {
    const newest = eventIdOf((await eventStreamInfo(redis, queue)).lastId)
    while (compareEventIds(eventIdOf((await stream.position(queue.name)).at), newest) < 0) {
      if (Date.now() > until) throw new Error(`The relay of ${queue.name} is behind`)
      await sleep(CATCH_UP_CHECK_MS)
    }
  }
  const last = await createStreamReader(redis).last()
  if (last && !await projection.waitFor(last, { timeoutMs: until - Date.now() })) {
    throw new Error('The projection is behind')
  }
}
