import type { Queue } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { JobEvent } from '@tidings/contracts'
import {
  eventIdOf, formatEventId, isNewer, ZERO, type EventId, type StreamWriter, type RelayPosition
} from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { BadItems } from '../bad-items/bad-items.ts'
import { isolate } from '../bad-items/isolate.ts'
import { eventStreamInfo } from '../bullmq/event-stream.ts'
import { notifyWorker } from '../bullmq/notify-worker.ts'
import { removeQueued } from '../bullmq/remove-queued.ts'
import type { BackgroundMetrics } from '../metrics.ts'
import type { ProjectionProgress } from '../projector/projection-progress.ts'
import { storeLargeValues } from '../relay/mapping/large-values.ts'
import { mapEvent, type MappedEvent } from '../relay/mapping/map-event.ts'
import { ownWebhookOf } from '../relay/ownership/find-owners.ts'
import type { Relay } from '../relay/relay-loop.ts'
import { readBullmqStates, type BullmqState } from './bullmq-state.ts'
import type { Decision } from './decide.ts'
import { findPublishedEnds } from './find-published-ends.ts'
import { markEnqueued, unchangedRows, type OpenRow } from './open-rows.ts'
import { reenqueue, type Rejected } from './reenqueue.ts'

/** How long the projection may take to catch up with the relay, and while the relay is paused for it. */
const CATCH_UP_TIMEOUT_MS = 10_000
const PAUSE_TIMEOUT_MS = 2000

export type ApplyContext = {
  queue: Queue
  redis: Redis
  sql: RawSql
  relay: Relay
  stream: StreamWriter
  projection: ProjectionProgress
  minimumId: () => EventId
  badItems: BadItems
  metrics: BackgroundMetrics
  log: FastifyBaseLogger
}

/** A row to change, by BullMQ's state of the job after the row was read; `state` is left out if it was not read. */
export type Candidate = { row: OpenRow, decide: (row: OpenRow) => Decision, state?: BullmqState['state'] }

/** An event to publish, and the last one that its row has seen. */
type Conclusion = MappedEvent & { seen: EventId }
type Decided = { row: OpenRow } & Decision
type PublishDecision = Extract<Decision, { action: 'publish' }>

/**
 * Applies decisions that still hold. Rows were read first and BullMQ's state second, so an event that BullMQ wrote
 * before that may explain the difference. W is BullMQ's newest event now. Once relay and projector have passed W and a
 * row is unchanged, no event will ever report the state that was read. The relay is paused meanwhile, so that no event
 * comes between, and the append is the same compare-and-set, so that no other replica's relay adds one.
 * Returns the number of changed rows.
 */
export async function apply (candidates: Candidate[], context: ApplyContext): Promise<number> {
  const { badItems, queue } = context
  const counts = await isolate(candidates, async some => [await applyAll(some, context)], {
    onBad: ({ row }, err) => badItems.report({
      consumer: 'reconcile', queue: queue.name, item: `row ${row.n}`, jobId: row.id, err
    })
  })
  return counts.reduce((sum, count) => sum + count, 0)
}

async function applyAll (candidates: Candidate[], context: ApplyContext): Promise<number> {
  if (candidates.length === 0) return 0
  const { relay, sql } = context
  const newest = await waitForRows(context)
  // Usually the event was only late, and the relay need not be paused.
  if ((await unchangedRows(sql, candidates.map(({ row }) => row))).length === 0) return 0
  return await relay.pauseAt(newest, (position, signal) => applyAt(position, candidates, { ...context, signal }))
}

/** Resolves once the rows have every event that BullMQ has written until now, with the newest of them. */
export async function waitForRows (context: ApplyContext): Promise<EventId> {
  const { relay, redis, queue } = context
  const newest = eventIdOf((await eventStreamInfo(redis, queue)).lastId)
  await relay.pauseAt(newest, async () => {})
  await waitForProjection(CATCH_UP_TIMEOUT_MS, context)
  return newest
}

/** Once the pause was given up and the signal has aborted, what was read may have changed: nothing more is written. */
async function applyAt (
  position: RelayPosition, candidates: Candidate[], context: ApplyContext & { signal: AbortSignal }
): Promise<number> {
  const { sql, queue, redis, projection, signal } = context
  await waitForProjection(PAUSE_TIMEOUT_MS, context)
  const { losses } = projection
  const candidateOf = new Map(candidates.map(one => [one.row.n, one]))
  const unchanged = await unchangedRows(sql, candidates.map(({ row }) => row))
  if (projection.losses !== losses) throw new Error('Postgres was away meanwhile: the rows may be older than they were')
  const rows = await inSameState(unchanged, row => candidateOf.get(row.n)?.state, context)
  const decided: Decided[] = rows.map(row => ({ row, ...(candidateOf.get(row.n) as Candidate).decide(row) }))

  // First the events, which may fail because of their content: an addition is not undone.
  const mapped = decided.flatMap(one => one.action === 'publish' ? [conclusionOf(one.row, one)] : [])
  const missing = decided.filter(({ action }) => action === 'reenqueue').map(({ row }) => row)
  const { added, rejected } = await reenqueue(missing, context)
  // A cancel writes its request, then looks for the job; here the job is added first, then the request is looked for.
  for (const job of await markEnqueued(sql, added)) {
    if (!await removeQueued(queue, job.id)) await notifyWorker(redis, job)
  }
  signal.throwIfAborted()
  const published = await publish(position, [...mapped, ...rejected.map(one => rejectedJob(one, context))], context)
  const addedRows = new Set(added)
  const isDone = ({ row, action }: Decided) => addedRows.has(row) || (action === 'publish' && published > 0)
  logOutcomes(decided.filter(isDone), context)
  return added.length + published
}

/** A job that BullMQ will never accept ends with the reason. */
function rejectedJob ({ row, err }: Rejected, { badItems, queue }: ApplyContext): Conclusion {
  badItems.report({ consumer: 'outbox', queue: queue.name, item: `row ${row.n}`, jobId: row.id, err })
  return conclusionOf(row, {
    action: 'publish', event: 'failed', fields: { failedReason: `The queue refused the job: ${err.message}` }
  })
}

/**
 * Keeps the rows of jobs that still have the state which was read. An event between that read and W may explain a row
 * too, but if it was trimmed unprojected the row does not show it. The other rows are compared again by the next run.
 */
async function inSameState (
  rows: OpenRow[], stateOf: (row: OpenRow) => BullmqState['state'] | undefined, { redis, queue }: ApplyContext
): Promise<OpenRow[]> {
  const known = rows.filter(row => stateOf(row) !== undefined)
  const states = await readBullmqStates(redis, queue, known)
  const changed = new Set(known.filter((row, i) => states[i]?.state !== stateOf(row)))
  return rows.filter(row => !changed.has(row))
}

/** Resolves once the rows have every published event. */
async function waitForProjection (timeoutMs: number, { stream, projection }: ApplyContext): Promise<void> {
  const last = await stream.last()
  if (last && !await projection.waitFor(last, { timeoutMs })) throw new Error('The projection is behind')
}

async function publish (
  position: RelayPosition, mapped: Conclusion[], { stream, sql, redis, queue, minimumId }: ApplyContext
): Promise<number> {
  if (mapped.length === 0) return 0
  await storeLargeValues(sql, mapped.flatMap(({ large }) => large ?? []))
  const seenBy = new Map(mapped.map(({ event, seen }): [JobEvent, EventId] => [{ ...event, reconciled: true }, seen]))
  const events = [...seenBy.keys()]
  const findEnd = await findPublishedEnds(redis, events)
  const repeated = (event: JobEvent) => {
    const seen = seenBy.get(event) ?? ZERO
    const id = findEnd(event)
    return { id: id && isNewer(id, seen) ? id : undefined, seen }
  }
  const outcome = await stream.append({
    queue: queue.name, from: position, to: position, events, repeated, minimumId: minimumId()
  })
  return outcome.moved ? outcome.appended : 0
}

function conclusionOf (row: OpenRow, { event, fields, at = Date.now() }: PublishDecision): Conclusion {
  const owner = {
    userId: row.user_id,
    name: row.name,
    ...(row.generation_ms > 0 && { generation: formatEventId({ ms: row.generation_ms, seq: row.generation_seq }) }),
    ...ownWebhookOf(row)
  }
  const entry = { id: formatEventId({ ms: Math.trunc(at), seq: 0 }), event, jobId: row.id, fields }
  const mapped = mapEvent(entry, { queue: row.queue, owner, isCancelled: false }) as MappedEvent
  return { ...mapped, seen: { ms: row.event_ms ?? 0, seq: row.event_seq ?? 0 } }
}

function logOutcomes (decided: Decided[], { metrics, log, queue }: ApplyContext) {
  for (const one of decided) {
    if (one.action === 'none') continue
    const outcome = one.action === 'reenqueue' ? 'added' : one.event
    metrics.reconciled.inc({ queue: queue.name, outcome })
    log.info({ queue: queue.name, jobId: one.row.id, outcome }, 'reconcile: job changed')
  }
}
