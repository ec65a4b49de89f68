import type { FastifyBaseLogger } from 'fastify'
import { decodeAll, formatEventId, type EventId, type ConsumedBatch, type Gap } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { Delivery } from '../delivery/pipeline.ts'
import type { Endpoint } from '../delivery/scheduler/endpoint.ts'
import { createRun, type Run } from '../delivery/scheduler/ordered-run.ts'
import { handedBack, type Result, type Target, type Task } from '../delivery/attempt/task.ts'
import { Batch, chainKey } from './batch.ts'
import { createBatchWriter } from './batch-writer.ts'
import type { Telling } from './match-webhooks.ts'
import { prepare } from './prepare-batch.ts'
import type { WaitingChain } from './find-pending-groups.ts'
import type { TargetsOf } from './job-webhooks.ts'
import type { IngestMetrics } from './metrics.ts'
import { recordGap } from './record-gap.ts'
import { withoutRepeated } from './drop-repeated.ts'
import { recordSkipped, type Skipped } from './skipped-events.ts'

/** Tasks of one chain that may wait behind each other in memory. */
const MAX_CHAIN = 100
/**
 * Runs of one endpoint that may wait in memory for a first attempt; more go to their rows at once, and come back as its
 * claims do. So a burst for one endpoint is read at the speed of Postgres and not of that endpoint, and whoever stands
 * behind it in the stream waits no longer than that. Bursts that are spread over many endpoints stay below it.
 */
const MAX_WAITING = 250

type SessionOptions = {
  shard: number
  /** Whose users these are. */
  isOurs: (userId: string) => boolean
  claim: number
  position: EventId
  sql: RawSql
  delivery: Delivery
  targetsOf: TargetsOf
  metrics: IngestMetrics
  log: FastifyBaseLogger
}

export type Session = ReturnType<typeof createSession>

/**
 * One shard's ingest, for as long as this process holds it under one name:
 * posts what is new, and has it written with the position. Batches overlap.
 */
export function createSession ({ shard, isOurs, claim, position, sql, delivery, targetsOf, metrics, log }: SessionOptions) {
  const { endpoints, lanes, recorder, claimant } = delivery
  const runs = new Map<string, Run<Endpoint>>()
  const batchOf = new WeakMap<Task, Batch>()
  const lost = Promise.withResolvers<void>()
  const ended = new AbortController()
  const writer = createBatchWriter({ shard, claim, sql, delivery, metrics, log, ended: ended.signal, onRefused: lose })
  let planned = position

  /** Posts a batch and queues it for writing. */
  async function onBatch ({ from, to, entries }: ConsumedBatch): Promise<void> {
    await writer.room()
    if (ended.signal.aborted) return
    const askedAt = performance.now()
    const malformed: Skipped[] = []
    const decoded = decodeAll(entries.filter(({ owner }) => isOurs(owner)), ({ eventId: id, message: reason }) => malformed.push({ id, reason }))
    const events = await withoutRepeated(sql, shard, { from, events: decoded })
    const { tellings, waiting, skipped } = await prepare(events, { sql, targetsOf, claim })
    await skip('malformed', malformed)
    await skip('refused', skipped)
    const batch = new Batch(from, to)
    begin(batch, tellings, waiting)
    planned = to
    writer.add(batch, askedAt)
  }

  /** Once: what is skipped again after a failure is known already. */
  async function skip (why: 'malformed' | 'refused', skipped: Skipped[]): Promise<void> {
    await recordSkipped(sql, shard, skipped)
    for (const { id, reason } of skipped) log.error({ shard, eventId: formatEventId(id), reason }, 'ingest: an event is skipped')
    metrics.skipped(why, skipped.length)
  }

  function begin (batch: Batch, tellings: Telling[], waiting: WaitingChain[]): void {
    for (const [key, run] of runs) if (run.state === 'ended') runs.delete(key)
    const inPostgres = new Map(waiting.map(chain => [`${chain.webhook_id} ${chain.chain}`, chain]))
    const blocking = [batch, ...writer.inDoubt.filter(({ blocked }) => blocked.size > 0)]
    for (const telling of tellings) {
      batch.tell(telling)
      for (const target of telling.targets) {
        const task = taskOf(telling, target, claim)
        batchOf.set(task, batch)
        admit(task, { batch, blocking, waiting: inPostgres.get(chainKey(task)) })
      }
    }
    for (const run of batch.runs) lanes.submit(run)
    batch.close()
  }

  /** Puts a task behind what is under way of its chain, or begins with it, or leaves it to its row. */
  function admit (task: Task, { batch, blocking, waiting }: { batch: Batch, blocking: Batch[], waiting: WaitingChain | undefined }): void {
    const key = chainKey(task)
    const endpoint = endpoints.of(task.target)
    const run = runs.get(key)
    const ahead = blocking.flatMap(({ blocked }) => blocked.get(key) ?? [])
    const isBlocked = ahead.length > 0 || (waiting && !(waiting.ours && run))
    batch.add(task, endpoint)
    if (run && run.state !== 'ended' && !isBlocked && run.tasks.length - run.at < MAX_CHAIN) {
      run.tasks.push(task)
    } else if (!isBlocked && run?.state !== 'running' && run?.state !== 'waiting' && endpoint.isOpenToNews && endpoint.waiting.length + batch.begunAt(endpoint) < MAX_WAITING) {
      const begun = createRun(endpoint, [task], onResult)
      runs.set(key, begun)
      batch.begin(begun)
    } else {
      const fails = ahead.includes('fails') || endpoint.isShut
      batch.note(task, handedBack({ chain: fails ? 'fails' : isBlocked ? 'waits' : 'flows' }))
    }
  }

  /** A result goes with the row while that is still to be written, and after it once it stands. */
  function onResult (task: Task, result: Result): void {
    if (task.id !== undefined) recorder.add(task, result)
    else batchOf.get(task)?.note(task, result)
  }

  function lose (): void {
    if (ended.signal.aborted) return
    ended.abort()
    metrics.lost()
    // What was written in a statement whose answer was lost is held by a name that nobody answers to any more.
    if (claimant.id === claim) claimant.forsake()
    lost.resolve()
  }

  /** Records that the stream was trimmed before it could be read, and goes on behind the gap. */
  async function onGap (gap: Gap): Promise<void> {
    await writer.written()
    if (!await recordGap(sql, { shard, claim, ...gap, position: planned })) return lose()
    planned = gap.resumeAt
    metrics.overtaken(gap.reason)
    log.error({ shard, ...gap }, 'ingest: events were trimmed before they could be told')
  }

  return {
    shard,
    claim,
    onBatch,
    onGap,
    get position () { return planned },
    /** Why the last write failed. */
    get fault () { return writer.fault },
    /** Resolves when another replica has the shard, or this one has lost its name. */
    lost: lost.promise,
    lose,
    /** Resolves when all that was posted is written, or could not be for so long. */
    drain: writer.drain
  }
}

function taskOf ({ id, type, chain, body, messageId, webhookUrl }: Telling, target: Target, claim: number): Task {
  const url = target.kind === 'job' ? webhookUrl ?? null : null
  return { target, chain, eventId: id, type, url, messageId, body, attempt: 1, acceptedAt: id.ms, dueAt: Date.now(), since: performance.now(), claim }
}
