import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { createLinger, formatEventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { isBadValue } from '../db/data-error.ts'
import type { DeliveryPipeline } from '../delivery/pipeline.ts'
import type { Result, Task } from '../delivery/attempt/task.ts'
import type { Batch } from './batch.ts'
import type { FanOutMetrics } from './metrics.ts'
import { insertBatchWithEffects, type BatchInsert, type ClaimedRow } from './insert-batch.ts'
import { recordSkipped } from './skipped-events.ts'
import { halves, withoutResponses } from './split-batch.ts'

/**
 * Tasks that are posted while the next batch is read: it begins below that. At the highest rates a write takes as long
 * as posting 1,500 tasks does: with 2,000 in all nothing was left to post meanwhile.
 */
const MAX_POSTED = 4000
/**
 * Batches, tasks and characters of payloads that are not written yet, posted or not: what was read ahead of the writes,
 * so that who comes after a burst is not told behind the writing of it.
 */
const MAX_OPEN = 128
const MAX_OPEN_TASKS = 20_000
const MAX_OPEN_SIZE = 32 * 1024 * 1024
/** Tasks of one statement. */
const MAX_WRITTEN = 4000
const RETRY_MS = 250
/** Between two writes: what was posted meanwhile is told already, and stands together in one. */
const WRITE_LINGER_MS = 25

type BatchWriterOptions = {
  shard: number
  workerId: number
  sql: RawSql
  pipeline: DeliveryPipeline
  metrics: FanOutMetrics
  log: FastifyBaseLogger
  /** Nothing more is written. */
  ended: AbortSignal
  /** The position is not ours to move any more, or nothing could be written until the end. */
  onFenced: () => void
}

/** Writes a shard's batches and its position: in order, all that are ready at once together, again and again until Postgres has them. */
export function createBatchWriter ({ shard, workerId, sql, pipeline, metrics, log, ended, onFenced }: BatchWriterOptions) {
  const { endpoints, scheduler, outcomeWriter, lease, effects } = pipeline
  const linger = createLinger(WRITE_LINGER_MS)
  let open: Batch[] = []
  /** Written while another was being planned: what they left behind may not have been seen in Postgres. */
  let recentlyWritten: Batch[] = []
  let writing: Promise<void> | undefined
  let onCapacity = () => {}
  let stopBy = Infinity
  let fault: Error | undefined
  ended.addEventListener('abort', () => onCapacity())

  /** Takes a batch that is posted. What stood in Postgres was seen at `askedAt`: who was written before is in doubt no more. */
  function add (batch: Batch, askedAt: number): void {
    recentlyWritten = recentlyWritten.filter(({ writtenAt }) => writtenAt > askedAt)
    open.push(batch)
    writing ??= write().finally(() => { writing = undefined })
  }

  /** Waits until one more batch may begin. */
  async function waitForCapacity (): Promise<void> {
    while (isFull() && !ended.aborted) await new Promise<void>(resolve => { onCapacity = resolve })
  }

  function isFull (): boolean {
    const sumOf = (of: (batch: Batch) => number) => open.reduce((sum, batch) => sum + of(batch), 0)
    return open.length >= MAX_OPEN || sumOf(({ unfinished }) => unfinished) >= MAX_POSTED ||
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

  /** The oldest ones, for one statement. A copy: batches that are planned meanwhile go into `open`, not into what is being written. */
  function readyBatches (): Batch[] {
    let tasks = 0
    const end = open.findIndex((batch, n) => !batch.isReady || (n > 0 && (tasks += batch.tasks.length) > MAX_WRITTEN))
    return open.slice(0, end === -1 ? open.length : end)
  }

  /** Writes batches as one; false when the position is not ours to move any more. */
  async function writeGroup (group: Batch[]): Promise<boolean> {
    const tasks = group.flatMap(batch => batch.tasks.map(task => ({ task, batch, result: batch.results.get(task) })))
    const { from } = group[0] as Batch
    const { to } = group.at(-1) as Batch
    const held = await insertWithRetries({ shard, workerId, from, to, events: group.flatMap(({ events }) => events), tasks })
    if (!held) return false
    const now = performance.now()
    for (const batch of group) batch.writtenAt = now
    recentlyWritten.push(...group)
    metrics.written(group.reduce((sum, { events }) => sum + events.length, 0))
    attachRowIds(tasks, held)
    return true
  }

  async function insertWithRetries (batch: BatchInsert): Promise<ClaimedRow[] | undefined> {
    while (!ended.aborted) {
      try {
        const held = await insertBatchWithEffects(sql, effects, batch)
        fault = undefined
        return held
      } catch (err) {
        fault = err as Error
        if (isBadValue(err)) return await insertInParts(batch, err)
        // Sent again as it is: what was posted need not be posted again, and the position tells whether it was written after all.
        log.warn({ err }, 'ingest: batch could not be written')
        const leaseChanged = lease.workerId !== undefined && lease.workerId !== workerId
        if (leaseChanged || performance.now() > stopBy) return undefined
        await sleep(RETRY_MS)
      }
    }
    return undefined
  }

  /** One event that Postgres refuses must not hold up the others: it is isolated and left out, first of all what its receivers have said. */
  async function insertInParts (batch: BatchInsert, err: unknown): Promise<ClaimedRow[] | undefined> {
    const parts = halves(batch)
    if (parts) {
      const [older, newer] = [await insertWithRetries(parts[0]), await insertWithRetries(parts[1])]
      return older && newer && [...older, ...newer]
    }
    const plain = withoutResponses(batch)
    if (plain) return await insertWithRetries(plain)
    const [event] = batch.events
    if (!event) throw err
    log.error({ err, shard, eventId: formatEventId(event.id) }, 'ingest: an event is skipped')
    metrics.skipped('refused', 1)
    await recordSkipped(sql, shard, [{ id: event.id, reason: String(err) }])
    return await insertWithRetries({ ...batch, events: [], tasks: [] })
  }

  /** Rows that are held get the outcomes that came while they were written. */
  function attachRowIds (tasks: { task: Task, batch: Batch, result: Result | undefined }[], held: ClaimedRow[]): void {
    const ids = new Map(held.map(row => [`${row.webhook_id} ${row.event_ms}-${row.event_seq}`, row.id]))
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

  /** What stands as due is the claimer's from now on; news of its endpoint queue up behind it. */
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
    /** Batches whose rows were not there, or may not have been, when the next one was planned. */
    get maybeUnwritten (): Batch[] { return [...open, ...recentlyWritten] },
    /** Resolves when all is written. */
    async written (): Promise<void> { await writing },
    /** Resolves when all is written, or could not be for so long. */
    async drain (this: void, withinMs: number): Promise<void> {
      stopBy = performance.now() + withinMs
      await writing
    }
  }
}
