import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { createLinger, formatEventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { isBadValue } from '../db/data-error.ts'
import type { Delivery } from '../delivery/pipeline.ts'
import type { Result, Task } from '../delivery/attempt/task.ts'
import type { Batch } from './batch.ts'
import type { IngestMetrics } from './metrics.ts'
import { persistBatch } from './persist-batch.ts'
import { recordSkipped } from './skipped-events.ts'
import { halves, withoutAnswers } from './split-batch.ts'
import type { HeldRow, WrittenBatch } from './insert-batch.ts'

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
  claim: number
  sql: RawSql
  delivery: Delivery
  metrics: IngestMetrics
  log: FastifyBaseLogger
  /** Nothing more is written. */
  ended: AbortSignal
  /** The position is not ours to move any more, or nothing could be written until the end. */
  onRefused: () => void
}

/** Writes a shard's batches and its position: in order, all that are ready at once together, again and again until Postgres has them. */
export function createBatchWriter ({ shard, claim, sql, delivery, metrics, log, ended, onRefused }: BatchWriterOptions) {
  const { endpoints, lanes, recorder, claimant, aftermath } = delivery
  const linger = createLinger(WRITE_LINGER_MS)
  let open: Batch[] = []
  /** Written while another was being planned: what they left behind may not have been seen in Postgres. */
  let recent: Batch[] = []
  let writing: Promise<void> | undefined
  let hasRoom = () => {}
  let stopBy = Infinity
  let fault: Error | undefined
  ended.addEventListener('abort', () => hasRoom())

  /** Takes a batch that is posted. What stood in Postgres was seen at `askedAt`: who was written before is in doubt no more. */
  function add (batch: Batch, askedAt: number): void {
    recent = recent.filter(({ writtenAt }) => writtenAt > askedAt)
    open.push(batch)
    writing ??= write().finally(() => { writing = undefined })
  }

  /** Waits until one more batch may begin. */
  async function room (): Promise<void> {
    while (isFull() && !ended.aborted) await new Promise<void>(resolve => { hasRoom = resolve })
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
      const group = readyOnes()
      for (const batch of group) batch.seal(lanes)
      if (!await writeGroup(group)) return onRefused()
      open = open.slice(group.length)
      hasRoom()
    }
  }

  /** The oldest ones, for one statement. A copy: batches that are planned meanwhile go into `open`, not into what is being written. */
  function readyOnes (): Batch[] {
    let tasks = 0
    const end = open.findIndex((batch, n) => !batch.isReady || (n > 0 && (tasks += batch.tasks.length) > MAX_WRITTEN))
    return open.slice(0, end === -1 ? open.length : end)
  }

  /** Writes batches as one; false when the position is not ours to move any more. */
  async function writeGroup (group: Batch[]): Promise<boolean> {
    const tasks = group.flatMap(batch => batch.tasks.map(task => ({ task, batch, result: batch.results.get(task) })))
    const { from } = group[0] as Batch
    const { to } = group.at(-1) as Batch
    const held = await persist({ shard, claim, from, to, events: group.flatMap(({ events }) => events), tasks })
    if (!held) return false
    const now = performance.now()
    for (const batch of group) batch.writtenAt = now
    recent.push(...group)
    metrics.wrote(group.reduce((sum, { events }) => sum + events.length, 0))
    adopt(tasks, held)
    return true
  }

  async function persist (batch: WrittenBatch): Promise<HeldRow[] | undefined> {
    while (!ended.aborted) {
      try {
        const held = await persistBatch(sql, aftermath, batch)
        fault = undefined
        return held
      } catch (err) {
        fault = err as Error
        if (isBadValue(err)) return await persistInParts(batch, err)
        // Sent again as it is: what was posted need not be posted again, and the position tells whether it was written after all.
        log.warn({ err }, 'ingest: batch could not be written')
        const isRenamed = claimant.id !== undefined && claimant.id !== claim
        if (isRenamed || performance.now() > stopBy) return undefined
        await sleep(RETRY_MS)
      }
    }
    return undefined
  }

  /** One event that Postgres refuses must not hold up the others: it is isolated and left out, first of all what its receivers have said. */
  async function persistInParts (batch: WrittenBatch, err: unknown): Promise<HeldRow[] | undefined> {
    const parts = halves(batch)
    if (parts) {
      const [older, newer] = [await persist(parts[0]), await persist(parts[1])]
      return older && newer && [...older, ...newer]
    }
    const plain = withoutAnswers(batch)
    if (plain) return await persist(plain)
    const [event] = batch.events
    if (!event) throw err
    log.error({ err, shard, eventId: formatEventId(event.id) }, 'ingest: an event is skipped')
    metrics.skipped('refused', 1)
    await recordSkipped(sql, shard, [{ id: event.id, reason: String(err) }])
    return await persist({ ...batch, events: [], tasks: [] })
  }

  /** Rows that are held get the outcomes that came while they were written. */
  function adopt (tasks: { task: Task, batch: Batch, result: Result | undefined }[], held: HeldRow[]): void {
    const ids = new Map(held.map(row => [`${row.webhook_id} ${row.event_ms}-${row.event_seq}`, row.id]))
    for (const { task, batch, result } of tasks) {
      if (result) {
        leave(task, result)
        continue
      }
      const id = ids.get(`${task.target.id} ${task.eventId.ms}-${task.eventId.seq}`)
      if (id === undefined) continue
      task.id = id
      const meanwhile = batch.results.get(task)
      if (meanwhile) recorder.add(task, meanwhile)
    }
  }

  /** What stands as due is the claimer's from now on; news of its endpoint queue up behind it. */
  function leave ({ target }: Task, { verdict, attempt }: Result): void {
    if (verdict.state !== 'pending') return
    const endpoint = endpoints.get(target.id)
    if (endpoint && !attempt) endpoint.backlog = true
    delivery.wakeAt(verdict.dueAt)
  }

  return {
    add,
    room,
    /** Why the last write failed. */
    get fault () { return fault },
    /** Batches whose rows were not there, or may not have been, when the next one was planned. */
    get inDoubt (): Batch[] { return [...open, ...recent] },
    /** Resolves when all is written. */
    async written (): Promise<void> { await writing },
    /** Resolves when all is written, or could not be for so long. */
    async drain (this: void, withinMs: number): Promise<void> {
      stopBy = performance.now() + withinMs
      await writing
    }
  }
}
