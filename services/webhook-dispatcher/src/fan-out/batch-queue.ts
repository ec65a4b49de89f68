import type { FastifyBaseLogger } from 'fastify'
import { createLinger, formatEventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { DeliveryPipeline } from '../delivery/pipeline.ts'
import type { Result, Task } from '../delivery/attempt/task.ts'
import type { InsertedTask, MatchedEvent } from '../delivery/outcomes/outcome-write.ts'
import type { Batch } from './batch.ts'
import type { FanOutMetrics } from './metrics.ts'
import { recordSkipped } from './skipped-events.ts'

/**
 * Tasks without an outcome, below which the next batch may start. At the highest rates a write takes as long as sending
 * 1,500 tasks: with a limit of 2,000 nothing was left to send meanwhile.
 */
const MAX_UNFINISHED = 4000
/**
 * Batches, tasks and characters of payloads that are not written yet: how far reading may run ahead of the writes, so
 * that events after a burst need not wait until the burst is written.
 */
const MAX_OPEN = 128
const MAX_OPEN_TASKS = 20_000
const MAX_OPEN_SIZE = 32 * 1024 * 1024
/** Tasks in one statement. */
const MAX_WRITTEN = 4000
/** Between two writes: tasks sent meanwhile are delivered already, and share the next statement. */
const WRITE_LINGER_MS = 25

type BatchQueueOptions = {
  shard: number
  workerId: number
  sql: RawSql
  pipeline: DeliveryPipeline
  metrics: FanOutMetrics
  log: FastifyBaseLogger
  /** Aborted when nothing more is to be written. */
  ended: AbortSignal
  /** The position is no longer ours to move, or nothing could be written before the stop. */
  onFenced: () => void
}

/**
 * The batches of a shard that are not written yet. They are written in order with the shard's position, all that are
 * ready in one statement.
 */
export function createBatchQueue (options: BatchQueueOptions) {
  const { shard, workerId, sql, pipeline, metrics, log, ended, onFenced } = options
  const { endpoints, scheduler, outcomeWriter, lease } = pipeline
  const linger = createLinger(WRITE_LINGER_MS)
  let open: Batch[] = []
  /** Batches written while another was planned: their rows may not have been visible to it. */
  let recentlyWritten: Batch[] = []
  let writing: Promise<void> | undefined
  let onCapacity = () => {}
  let stopBy = Infinity
  let fault: Error | undefined
  const shardWriter = { mayRetry, onRefused: skip, onFault: (err: Error | undefined) => { fault = err } }
  ended.addEventListener('abort', () => onCapacity())

  /**
   * Takes a planned batch. `readAt`: when Postgres was read for it. Batches
   * written before that were visible to it and need no second check.
   */
  function add (batch: Batch, readAt: number): void {
    recentlyWritten = recentlyWritten.filter(written => !written.isVisibleAt(readAt))
    open.push(batch)
    writing ??= write().finally(() => { writing = undefined })
  }

  /** Waits until one more batch may start. */
  async function waitForCapacity (): Promise<void> {
    while (isFull() && !ended.aborted) await new Promise<void>(resolve => { onCapacity = resolve })
  }

  function isFull (): boolean {
    const sumOf = (of: (batch: Batch) => number) => open.reduce((sum, batch) => sum + of(batch), 0)
    return open.length >= MAX_OPEN || sumOf(({ unfinished }) => unfinished) >= MAX_UNFINISHED ||
      sumOf(({ tasks }) => tasks.length) >= MAX_OPEN_TASKS || sumOf(({ size }) => size) >= MAX_OPEN_SIZE
  }

  async function write (): Promise<void> {
    for (let first = open[0]; first && !ended.aborted; first = open[0]) {
      await first.ready
      if (!isFull()) await linger.over()
      linger.note()
      const group = readyBatches()
      if (!await writeGroup(group)) return onFenced()
      open = open.slice(group.length)
      onCapacity()
    }
  }

  /**
   * The oldest batches, for one statement. A copy: batches planned meanwhile are added to `open`, not to this group.
   */
  function readyBatches (): Batch[] {
    let tasks = 0
    const end = open.findIndex((batch, n) => !batch.isReady || (n > 0 && (tasks += batch.tasks.length) > MAX_WRITTEN))
    return open.slice(0, end === -1 ? open.length : end)
  }

  /** Writes batches as one; false when the position is no longer ours to move. */
  async function writeGroup (group: Batch[]): Promise<boolean> {
    const tasks = group.flatMap(batch => batch.seal(scheduler))
    const events = group.flatMap(batch => batch.events)
    const { from } = group[0] as Batch
    const { to } = group.at(-1) as Batch
    if (!await outcomeWriter.insert({ kind: 'insert', shard, workerId, from, to, events, tasks, shardWriter })) {
      return false
    }
    recentlyWritten.push(...group)
    metrics.written(events.length)
    tasks.forEach(noteBacklog)
    for (const { task, result } of group.flatMap(batch => batch.settle())) updateRow(task, result)
    return true
  }

  /** After a failed write: false once the position is no longer ours to move, or the time to drain is over. */
  function mayRetry (): boolean {
    const leaseChanged = lease.workerId !== undefined && lease.workerId !== workerId
    return !ended.aborted && !leaseChanged && performance.now() <= stopBy
  }

  async function skip (event: MatchedEvent, err: unknown): Promise<void> {
    log.error({ err, shard, eventId: formatEventId(event.id) }, 'fan-out: an event is skipped')
    metrics.skipped('refused', 1)
    await recordSkipped(sql, shard, [{ id: event.id, reason: String(err) }])
  }

  /** New events of an endpoint queue up behind a delivery that was written as due: the poller takes it. */
  function noteBacklog ({ task, result }: InsertedTask): void {
    if (result?.decision.state !== 'pending' || result.attempt) return
    const endpoint = endpoints.get(task.target.id)
    if (endpoint) endpoint.hasBacklog = true
  }

  /** Without an id the row is not ours: it was there before, of a write whose answer was lost or of another replica. */
  function updateRow (task: Task, result: Result): void {
    if (task.id !== undefined) outcomeWriter.update(task, result)
  }

  return {
    add,
    waitForCapacity,
    /** Writes the outcome of a task whose batch is written. */
    updateRow,
    /** Why the last write failed. */
    get fault () { return fault },
    /** Batches whose rows were not visible, or may not have been, when the next batch was planned. */
    get maybeUnwritten (): Batch[] { return [...open, ...recentlyWritten] },
    /** Resolves when all is written. */
    async written (): Promise<void> { await writing },
    /** Resolves when all is written, or after this time. */
    async drain (this: void, withinMs: number): Promise<void> {
      stopBy = performance.now() + withinMs
      await writing
    }
  }
}
