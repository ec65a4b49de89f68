import type { Queue } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { JobEvent } from '@tidings/contracts'
import { eventIdOf, formatEventId, type EventId, type StreamWriter, type RelayPosition } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { removeQueued } from '../bullmq/remove-queued.ts'
import { tellWorker } from '../bullmq/notify-worker.ts'
import type { BadItems } from '../bad-items/bad-items.ts'
import { isolate } from '../bad-items/isolate.ts'
import type { EngineMetrics } from '../metrics.ts'
import type { Watch } from '../projector/projection-progress.ts'
import { keepLargeResults } from '../relay/mapping/large-values.ts'
import { queueEventsKey } from '../bullmq/queue-keys.ts'
import type { Relay } from '../relay/relay-loop.ts'
import { translate, type Translation } from '../relay/mapping/map-event.ts'
import { addAgain, type Refused } from './reenqueue.ts'
import { findToldEnds } from './find-published-ends.ts'
import type { Verdict } from './decide.ts'
import { lookUp, type Found } from './bullmq-state.ts'
import { markEnqueued, unchangedRows, type OpenRow } from './open-rows.ts'

/** How long the projection may take to come after the relay; and while the relay stands still for it. */
const CATCH_UP_TIMEOUT_MS = 10_000
const STANDSTILL_TIMEOUT_MS = 2000

export type ConcludeContext = {
  queue: Queue
  redis: Redis
  sql: RawSql
  relay: Relay
  stream: StreamWriter
  projected: Watch
  floor: () => EventId
  badItems: BadItems
  metrics: EngineMetrics
  log: FastifyBaseLogger
}

/** What is to become of a row, judged by what BullMQ had after the row was read: the state, unless it was not looked up. */
export type Case = { row: OpenRow, judge: (row: OpenRow) => Verdict, state?: Found['state'] }

/**
 * Carries out what was judged, if it still holds. Rows were read first and
 * BullMQ looked at second, so whatever it told until that look explains it:
 * W is its newest event now. When relay and projector have passed W, and a row
 * is still as it was, no event will ever say what the look said. The relay
 * stands still meanwhile, so that nothing comes between, and the append is the
 * same compare-and-set, so that no other replica's relay does.
 * Returns how many rows were concluded.
 */
export async function conclude (cases: Case[], context: ConcludeContext): Promise<number> {
  const { badItems, queue } = context
  const counts = await isolate(cases, async some => [await concludeAll(some, context)], {
    onBad: ({ row }, err) => badItems.note({ consumer: 'reconcile', queue: queue.name, item: `row ${row.n}`, jobId: row.id, err })
  })
  return counts.reduce((sum, count) => sum + count, 0)
}

async function concludeAll (cases: Case[], context: ConcludeContext): Promise<number> {
  if (cases.length === 0) return 0
  const { relay, sql } = context
  const newest = await caughtUp(context)
  // Most often it was only late, and nobody needs to stand still.
  if ((await unchangedRows(sql, cases.map(({ row }) => row))).length === 0) return 0
  return await relay.standStillAt(newest, position => concludeAt(position, cases, context))
}

/** Resolves once the rows know all that BullMQ has told until now, with the newest of it. */
export async function caughtUp (context: ConcludeContext): Promise<EventId> {
  const { relay, redis, queue } = context
  const newest = await newestEvent(redis, queue)
  await relay.standStillAt(newest, async () => {})
  await projectionOf(CATCH_UP_TIMEOUT_MS, context)
  return newest
}

async function concludeAt (position: RelayPosition, cases: Case[], context: ConcludeContext): Promise<number> {
  const { sql, queue, redis } = context
  await projectionOf(STANDSTILL_TIMEOUT_MS, context)
  const caseOf = new Map(cases.map(one => [one.row.n, one]))
  const rows = await inSameState(await unchangedRows(sql, cases.map(({ row }) => row)), row => caseOf.get(row.n)?.state, context)
  const judged = rows.map(row => ({ row, ...(caseOf.get(row.n) as Case).judge(row) }))

  // First what can fail for what it is: an addition is not taken back.
  const translations = judged.flatMap(one => one.verdict === 'tell' ? [translationOf(one.row, one)] : [])
  const { added, refused } = await addAgain(judged.filter(({ verdict }) => verdict === 'add').map(({ row }) => row), context)
  // A cancel writes its wish, then looks for the job; here the job is added, then the wish looked for.
  for (const job of await markEnqueued(sql, added)) if (!await removeQueued(queue, job.id)) await tellWorker(redis, job)
  const told = await tell(position, [...translations, ...refused.map(one => refusal(one, context))], context)
  const addedRows = new Set(added)
  report(judged.filter(({ row, verdict }) => addedRows.has(row) || (verdict === 'tell' && told > 0)), context)
  return added.length + told
}

/** A job that BullMQ will never take ends with the reason. */
function refusal ({ row, err }: Refused, { badItems, queue }: ConcludeContext): Translation {
  badItems.note({ consumer: 'outbox', queue: queue.name, item: `row ${row.n}`, jobId: row.id, err })
  return translationOf(row, { verdict: 'tell', event: 'failed', fields: { failedReason: `The queue refused the job: ${err.message}` } })
}

/**
 * What came between the look and W explains a row too, but where it was trimmed off the stream unprojected the row does
 * not show it: only what BullMQ says still holds is concluded. The rest is compared again by the next sweep.
 */
async function inSameState (rows: OpenRow[], stateOf: (row: OpenRow) => Found['state'] | undefined, { redis, queue }: ConcludeContext): Promise<OpenRow[]> {
  const looked = rows.filter(row => stateOf(row) !== undefined)
  const found = await lookUp(redis, queue, looked)
  const changed = new Set(looked.filter((row, i) => found[i]?.state !== stateOf(row)))
  return rows.filter(row => !changed.has(row))
}

/** Resolves once the rows know all that was told. */
async function projectionOf (timeoutMs: number, { stream, projected }: ConcludeContext): Promise<void> {
  const last = await stream.last()
  if (last && !await projected.reached(last, { timeoutMs })) throw new Error('The projection is behind')
}

async function tell (position: RelayPosition, translations: Translation[], { stream, sql, redis, queue, floor }: ConcludeContext): Promise<number> {
  if (translations.length === 0) return 0
  await keepLargeResults(sql, translations.flatMap(({ large }) => large ?? []))
  const events: JobEvent[] = translations.map(({ event }) => ({ ...event, reconciled: true }))
  const repeated = await findToldEnds(redis, events)
  const outcome = await stream.append({ queue: queue.name, from: position, to: position, events, repeated, minimumId: floor() })
  return outcome.moved ? outcome.appended : 0
}

function translationOf (row: OpenRow, { event, fields, at = Date.now() }: Extract<Verdict, { verdict: 'tell' }>): Translation {
  const owner = {
    userId: row.user_id,
    name: row.name,
    ...(row.generation_ms > 0 && { generation: formatEventId({ ms: row.generation_ms, seq: row.generation_seq }) }),
    ...(row.webhook_url !== null && { webhookUrl: row.webhook_url })
  }
  const entry = { id: formatEventId({ ms: Math.trunc(at), seq: 0 }), event, jobId: row.id, fields }
  return translate(entry, { queue: row.queue, owner, isCancelled: false }) as Translation
}

function report (judged: ({ row: OpenRow } & Verdict)[], { metrics, log, queue }: ConcludeContext) {
  for (const one of judged) {
    if (one.verdict === 'agrees') continue
    const conclusion = one.verdict === 'add' ? 'added' : one.event
    metrics.reconciled.inc({ queue: queue.name, conclusion })
    log.info({ queue: queue.name, jobId: one.row.id, conclusion }, 'reconcile: concluded')
  }
}

async function newestEvent (redis: Redis, queue: Queue): Promise<EventId> {
  const info = await redis.xinfo('STREAM', queueEventsKey(queue)).catch(undefinedWhenMissing) as unknown[] | undefined
  return eventIdOf(info ? info[info.indexOf('last-generated-id') + 1] as string : '0-0')
}

function undefinedWhenMissing (err: Error): undefined {
  if (!err.message.includes('no such key')) throw err
}
