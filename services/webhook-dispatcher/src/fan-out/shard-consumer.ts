import type { FastifyBaseLogger } from 'fastify'
import {
  compareEventIds, decodeAll, formatEventId, RecentReads, type EventId, type ConsumedBatch, type Gap
} from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { DeliveryPipeline } from '../delivery/pipeline.ts'
import type { Endpoint } from '../delivery/scheduler/endpoint.ts'
import { createOrderedRun, type OrderedRun } from '../delivery/scheduler/ordered-run.ts'
import { groupKey, groupKeyOf, released, type Result, type Target, type Task } from '../delivery/attempt/task.ts'
import { Batch } from './batch.ts'
import { createBatchQueue } from './batch-queue.ts'
import type { FanOut } from './match-webhooks.ts'
import { prepareBatch } from './prepare-batch.ts'
import type { PendingGroup } from './find-pending-groups.ts'
import type { FindTargets } from './job-webhooks.ts'
import type { FanOutMetrics } from './metrics.ts'
import { recordGap } from './shards.ts'
import { dropRepeated } from './drop-repeated.ts'
import { recordSkipped, type SkippedEvent } from './skipped-events.ts'

/** Tasks of one ordering key that may wait behind each other in memory. */
const MAX_RUN = 100
/**
 * Runs of one endpoint that may wait in memory for a first attempt; more are written as due at once, and come back as
 * claims. So a burst for one endpoint is read at the speed of Postgres and not of that endpoint, and events behind it
 * in
 * the stream wait no longer than that. Bursts that are spread over many endpoints stay below the limit.
 */
const MAX_WAITING = 250

type Admission = { batch: Batch, blocking: Batch[], pending: PendingGroup | undefined }

type ShardConsumerOptions = {
  shard: number
  /** Whether a user belongs to this shard. */
  isOurs: (userId: string) => boolean
  workerId: number
  position: EventId
  sql: RawSql
  pipeline: DeliveryPipeline
  findTargets: FindTargets
  metrics: FanOutMetrics
  log: FastifyBaseLogger
}

export type ShardConsumer = ReturnType<typeof createShardConsumer>

/**
 * Consumes one shard for as long as this process holds it under one worker id:
 * makes the first attempts at new events, and has them written together with
 * the position. Batches overlap.
 */
export function createShardConsumer (options: ShardConsumerOptions) {
  const { shard, isOurs, workerId, position, sql, pipeline, findTargets, metrics, log } = options
  const { endpoints, scheduler, lease } = pipeline
  const runs = new Map<string, OrderedRun<Endpoint>>()
  const batchOf = new WeakMap<Task, Batch>()
  const lost = Promise.withResolvers<void>()
  const ended = new AbortController()
  const queue = createBatchQueue({
    shard, workerId, sql, pipeline, metrics, log, ended: ended.signal, onFenced: stop
  })
  let readUpTo = position
  const reads = new RecentReads()
  reads.startAt(position)

  /**
   * Starts a batch and queues it for writing. A call that was given up may wake up beside a later one: the first of
   * them that comes to its end starts the batch.
   */
  async function onBatch ({ from, to, entries }: ConsumedBatch): Promise<EventId | void> {
    if (ended.signal.aborted) return
    const readAt = performance.now()
    const malformed: SkippedEvent[] = []
    const ours = entries.filter(({ owner }) => isOurs(owner))
    const decoded = decodeAll(ours, ({ eventId: id, message: reason }) => malformed.push({ id, reason }))
    const { events, note } = await dropRepeated(sql, shard, { events: decoded, reads })
    const { fanOuts, pending, skipped } = await prepareBatch(events, { sql, findTargets, workerId })
    await skip('malformed', malformed)
    await skip('refused', skipped)
    if (compareEventIds(from, readUpTo) !== 0) return readUpTo
    note()
    for (const { id } of entries) reads.note(id)
    const batch = new Batch(from, to)
    startBatch(batch, fanOuts, pending)
    readUpTo = to
    queue.add(batch, readAt)
  }

  /** Recorded once: a batch that is repeated after a failure skips the same events. */
  async function skip (why: 'malformed' | 'refused', skipped: SkippedEvent[]): Promise<void> {
    await recordSkipped(sql, shard, skipped)
    for (const { id, reason } of skipped) {
      log.error({ shard, eventId: formatEventId(id), reason }, 'fan-out: an event is skipped')
    }
    metrics.skipped(why, skipped.length)
  }

  function startBatch (batch: Batch, fanOuts: FanOut[], pending: PendingGroup[]): void {
    for (const [key, run] of runs) if (run.state === 'ended') runs.delete(key)
    const inPostgres = new Map(pending.map(group => [groupKey(group.webhook_id, group.ordering_key), group]))
    const blocking = [batch, ...queue.maybeUnwritten.filter(({ blocked }) => blocked.size > 0)]
    for (const fanOut of fanOuts) {
      batch.addEvent(fanOut)
      for (const target of fanOut.targets) {
        const task = taskOf(fanOut, target, workerId)
        batchOf.set(task, batch)
        admit(task, { batch, blocking, pending: inPostgres.get(groupKeyOf(task)) })
      }
    }
    for (const run of batch.runs) scheduler.submit(run)
    batch.close()
  }

  /** Queues a task behind the run of its ordering key, or starts a run with it, or leaves it to its row. */
  function admit (task: Task, { batch, blocking, pending }: Admission): void {
    const key = groupKeyOf(task)
    const endpoint = endpoints.endpointFor(task.target)
    const run = runs.get(key)
    const ahead = blocking.flatMap(({ blocked }) => blocked.get(key) ?? [])
    const isBlocked = ahead.length > 0 || (pending && !(pending.ours && run))
    batch.addTask(task, endpoint)
    if (run && run.state !== 'ended' && !isBlocked && run.tasks.length - run.index < MAX_RUN) {
      run.tasks.push(task)
    } else if (!isBlocked && (!run || run.state === 'ended') && mayStart(endpoint, batch)) {
      const started = createOrderedRun(endpoint, [task], onResult)
      runs.set(key, started)
      batch.addRun(started)
    } else {
      const isFailing = ahead.includes('failing') || endpoint.isCircuitOpen
      batch.setResult(task, released({ keyState: isFailing ? 'failing' : isBlocked ? 'blocked' : 'clear' }))
    }
  }

  function mayStart (endpoint: Endpoint, batch: Batch): boolean {
    return endpoint.canTryInline && endpoint.waiting.length + batch.runsAt(endpoint) < MAX_WAITING
  }

  function onResult (task: Task, result: Result): void {
    if (batchOf.get(task)?.setResult(task, result) === false) queue.updateRow(task, result)
  }

  function stop (): void {
    if (ended.signal.aborted) return
    ended.abort()
    metrics.fenced()
    // A statement whose answer was lost may have claimed rows under this id: abandoning it releases them.
    if (lease.workerId === workerId) lease.abandon()
    lost.resolve()
  }

  /** Records that the stream was trimmed before it could be read, and continues behind the gap. */
  async function onGap (gap: Gap): Promise<void> {
    await queue.written()
    if (compareEventIds(gap.position, readUpTo) !== 0) return // a call that was given up has recorded it
    if (!await recordGap(sql, { shard, workerId, ...gap, position: readUpTo })) return stop()
    readUpTo = gap.resumeAt
    reads.skipTo(gap.resumeAt)
    metrics.gap(gap.reason)
    log.error({ shard, ...gap }, 'fan-out: events were trimmed before they could be read')
  }

  return {
    shard,
    workerId,
    /** Resolves when another batch can be started: endpoints may be slow, and Postgres away. */
    whenReady: queue.waitForCapacity,
    onBatch,
    onGap,
    get position () { return readUpTo },
    /** Why the last write failed. */
    get fault () { return queue.fault },
    /** Resolves when another replica has the shard, or this one has lost its worker id. */
    lost: lost.promise,
    stop,
    /** Resolves when all outcomes are written, or after this time. */
    drain: queue.drain
  }
}

function taskOf (fanOut: FanOut, target: Target, workerId: number): Task {
  const { id, type, orderingKey, body, messageId, webhookUrl } = fanOut
  const url = target.kind === 'job' ? webhookUrl ?? null : null
  return {
    target,
    orderingKey,
    eventId: id,
    type,
    url,
    messageId,
    body,
    attempt: 1,
    acceptedAt: id.ms,
    dueAt: Date.now(),
    waitingSince: performance.now(),
    workerId
  }
}
