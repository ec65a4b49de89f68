import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { createLinger } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { Delivery } from '../delivery/delivery.ts'
import type { Result, Task } from '../delivery/task.ts'
import type { Batch } from './batch.ts'
import type { IngestMetrics } from './metrics.ts'
import { persistBatch } from './persist-batch.ts'
import type { HeldRow, WrittenBatch } from './write-batch.ts'

/**
 * Batches that are posted or written while the next is read, and their tasks: one more batch begins below that. At the
 * highest rates a write takes as long as posting 1,500 tasks does: with 2,000 in all nothing was left to post meanwhile.
 */
const MAX_OPEN = 32
const MAX_OPEN_TASKS = 4000
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
    return open.length >= MAX_OPEN || open.reduce((sum, { tasks }) => sum + tasks.length, 0) >= MAX_OPEN_TASKS
  }

  async function write (): Promise<void> {
    for (let first = open[0]; first && !ended.aborted; first = open[0]) {
      await first.ready
      if (!isFull()) await linger.over()
      linger.note()
      const ready = open.findIndex(batch => !batch.isReady)
      // A copy: batches that are planned meanwhile go into `open`, not into what is being written.
      const group = open.slice(0, ready === -1 ? open.length : ready)
      for (const batch of group) batch.seal(lanes)
      if (!await writeGroup(group)) return onRefused()
      open = open.slice(group.length)
      hasRoom()
    }
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
        return await persistBatch(sql, aftermath, batch)
      } catch (err) {
        // Sent again as it is: what was posted need not be posted again, and the position tells whether it was written after all.
        log.warn({ err }, 'ingest: batch could not be written')
        const isRenamed = claimant.id !== undefined && claimant.id !== claim
        if (isRenamed || performance.now() > stopBy) return undefined
        await sleep(RETRY_MS)
      }
    }
    return undefined
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
