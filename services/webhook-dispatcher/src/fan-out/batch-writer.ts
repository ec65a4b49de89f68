import type { FastifyBaseLogger } from 'fastify'
import { createLinger, formatEventId } from '@tidings/job-events'
import { pause, type RawSql } from '@tidings/service-kit'
import { isBadValue } from '../db/data-error.ts'
import type { DeliveryPipeline } from '../delivery/pipeline.ts'
import type { Result, Task } from '../delivery/attempt/task.ts'
import type { Batch } from './batch.ts'
import type { FanOutMetrics } from './metrics.ts'
import { insertBatchWithEffects, type BatchInsert, type ClaimedRow } from './insert-batch.ts'
import { recordSkipped } from './skipped-events.ts'
import { halves, withoutResponses } from './split-batch.ts'

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
const RETRY_MS = 250
/** Between two writes: tasks sent meanwhile are delivered already, and share the next statement. */
const WRITE_LINGER_MS = 25

type WrittenTask = { task: Task, batch: Batch, result: Result | undefined }

type BatchWriterOptions = {
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
 * Writes a shard's batches and its position: in order, all batches that are
 * ready in one statement, repeated until Postgres has them.
 */
export function createBatchWriter (options: BatchWriterOptions) {
  const { shard, workerId, sql, pipeline, metrics, log, ended, onFenced } = options
  const { endpoints, scheduler, outcomeWriter, lease, effects } = pipeline
  const linger = createLinger(WRITE_LINGER_MS)
  let open: Batch[] = []
  /** Batches written while another was planned: their rows may not have been visible to it. */
  let recentlyWritten: Batch[] = []
  let writing: Promise<void> | undefined
  let onCapacity = () => {}
  let stopBy = Infinity
  let fault: Error | undefined
  ended.addEventListener('abort', () => onCapacity())

  /**
   * Takes a planned batch. `readAt`: when Postgres was read for it. Batches
   * written before that were visible to it and need no second check.
   */
  function add (batch: Batch, readAt: number): void {
    recentlyWritten = recentlyWritten.filter(({ writtenAt }) => writtenAt > readAt)
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
      for (const batch of group) batch.withdrawWaiting(scheduler)
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
    const tasks = group.flatMap(batch => batch.tasks.map(task => ({ task, batch, result: batch.results.get(task) })))
    const { from } = group[0] as Batch
    const { to } = group.at(-1) as Batch
    const rows = await insertWithRetries({
      shard, workerId, from, to, events: group.flatMap(({ events }) => events), tasks
    })
    if (!rows) return false
    const now = performance.now()
    for (const batch of group) batch.writtenAt = now
    recentlyWritten.push(...group)
    metrics.written(group.reduce((sum, { events }) => sum + events.length, 0))
    attachRowIds(tasks, rows)
    return true
  }

  async function insertWithRetries (batch: BatchInsert): Promise<ClaimedRow[] | undefined> {
    while (!ended.aborted) {
      try {
        const rows = await insertBatchWithEffects(sql, effects, batch)
        fault = undefined
        return rows
      } catch (err) {
        fault = err as Error
        if (isBadValue(err)) return await insertInParts(batch, err)
        // Sent again unchanged: no attempt is repeated, and the position shows whether it was written after all.
        log.warn({ err }, 'fan-out: a batch could not be written, will be tried again')
        const leaseChanged = lease.workerId !== undefined && lease.workerId !== workerId
        if (leaseChanged || performance.now() > stopBy) return undefined
        await pause(RETRY_MS)
      }
    }
    return undefined
  }

  /**
   * One event that Postgres refuses must not delay the others: it is isolated
   * and, where it is still refused without the texts of its responses, skipped.
   */
  async function insertInParts (batch: BatchInsert, err: unknown): Promise<ClaimedRow[] | undefined> {
    const parts = halves(batch)
    if (parts) {
      const older = await insertWithRetries(parts[0])
      const newer = await insertWithRetries(parts[1])
      return older && newer && [...older, ...newer]
    }
    const plain = withoutResponses(batch)
    if (plain) return await insertWithRetries(plain)
    const [event] = batch.events
    if (!event) throw err
    log.error({ err, shard, eventId: formatEventId(event.id) }, 'fan-out: an event is skipped')
    metrics.skipped('refused', 1)
    await recordSkipped(sql, shard, [{ id: event.id, reason: String(err) }])
    return await insertWithRetries({ ...batch, events: [], tasks: [] })
  }

  /** Tasks get the ids of their claimed rows, and those rows the outcomes that arrived during the write. */
  function attachRowIds (tasks: WrittenTask[], rows: ClaimedRow[]): void {
    const ids = new Map(rows.map(row => [`${row.webhook_id} ${row.event_ms}-${row.event_seq}`, row.id]))
    for (const { task, batch, result } of tasks) {
      if (result) {
        leaveToPoller(task, result)
        continue
      }
      const id = ids.get(`${task.target.id} ${task.eventId.ms}-${task.eventId.seq}`)
      if (id === undefined) continue
      task.id = id
      const meanwhile = batch.results.get(task)
      if (meanwhile) outcomeWriter.add(task, meanwhile)
    }
  }

  /** A delivery written as due is the poller's from now on; new events of its endpoint queue up behind it. */
  function leaveToPoller ({ target }: Task, { decision, attempt }: Result): void {
    if (decision.state !== 'pending') return
    const endpoint = endpoints.get(target.id)
    if (endpoint && !attempt) endpoint.hasBacklog = true
    pipeline.wakeAt(decision.dueAt)
  }

  return {
    add,
    waitForCapacity,
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
