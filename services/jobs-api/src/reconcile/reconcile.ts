import type { Run } from '@tidings/service-kit'
import { carryOutCancel } from '../commands/cancel-job.ts'
import type { ReconcileRequests } from '../relay/mapping/reconcile-requests.ts'
import { readRelayState, requestReconcile, saveReconciled } from '../relay/relay-state.ts'
import { apply, waitForRows, type ApplyContext, type Candidate } from './apply.ts'
import { readBullmqStates, type BullmqState } from './bullmq-state.ts'
import { decide, decideMissing, type LostJobs } from './decide.ts'
import { findSuccessors } from './find-successors.ts'
import {
  generationOf, newestRow, openRows, outboxRows, requestedRows, silentRows, unchangedRows, type OpenRow
} from './open-rows.ts'

const PAGE = 200
/** Rows that one run reads, silent or not; and jobs that one sweep adds: after an outage there are many. */
const MAX_SILENT = 5000
const MAX_ADDED = 10_000
const OPEN_STATES = new Set<BullmqState['state'] | undefined>(['waiting', 'delayed', 'active'])

export type ReconcileContext = ApplyContext & { lostJobs: LostJobs, reconcileRequests: ReconcileRequests }

/**
 * Compares all open rows of the queue with BullMQ, if that was requested: after a gap, a clean, a lost or restored
 * Redis.
 */
export async function reconcileAll (context: ReconcileContext, { signal, alive }: Run): Promise<void> {
  const { redis, sql, queue, log } = context
  const { requested, reconciled } = await readRelayState(redis, queue.name)
  if (requested === reconciled) return
  const upTo = await newestRow(sql)
  let [after, compared] = [0, 0]
  for (;;) {
    if (signal.aborted) return // the next leader starts from the beginning
    const rows = await openRows(sql, queue.name, { after, upTo, limit: PAGE })
    await compare(rows, context)
    alive?.()
    compared += rows.length
    after = rows.at(-1)?.n ?? upTo
    if (rows.length < PAGE) break
  }
  await saveReconciled(redis, queue.name, requested)
  log.info({ queue: queue.name, compared }, 'reconcile: open jobs compared with BullMQ')
}

/**
 * Compares jobs of other producers that were removed, or that another job may have replaced, and jobs that were
 * cancelled before they were added.
 */
export async function reconcileRequested (context: ReconcileContext, { signal, alive }: Run): Promise<void> {
  const { reconcileRequests, redis, sql, queue } = context
  const { targets, isFull } = reconcileRequests.take()
  if (isFull) await requestReconcile(redis, [queue.name])
  const requestAgain = () => {
    for (const target of targets.splice(0)) reconcileRequests.request(target)
  }
  signal.addEventListener('abort', requestAgain, { once: true }) // a run that is given up may never come to its end
  try {
    while (targets.length > 0) {
      const some = targets.slice(0, PAGE)
      await waitForRows(context) // so that each has its row
      await compare(await requestedRows(sql, queue.name, some), context)
      alive?.()
      targets.splice(0, some.length)
    }
  } finally {
    signal.removeEventListener('abort', requestAgain)
    requestAgain()
  }
}

/** Compares rows that had no event for a long time: BullMQ writes none when a queue is drained. */
export async function reconcileSilent (
  silentMs: number, context: ReconcileContext, { signal, alive }: Run
): Promise<void> {
  const { sql, queue } = context
  for (let read = 0; read < MAX_SILENT; read += PAGE) {
    const { rows, isEnd } = await silentRows(sql, queue.name, { silentMs, limit: PAGE })
    await compare(rows, context)
    alive?.()
    if (isEnd || signal.aborted) return
  }
}

/** Adds the jobs that Redis did not accept when they were submitted. */
export async function sweepOutbox (
  olderThanMs: number, context: ReconcileContext, { signal, alive }: Run
): Promise<void> {
  const { sql, queue, metrics } = context
  for (let swept = 0; swept < MAX_ADDED; swept += PAGE) {
    const rows = await outboxRows(sql, queue.name, { olderThanMs, limit: PAGE })
    const added = await apply(rows.map(row => ({ row, decide: fresh => decideMissing(fresh, 'rerun') })), context)
    alive?.()
    metrics.enqueued.inc({ queue: queue.name }, added)
    if (rows.length < PAGE || added === 0 || signal.aborted) return // if none was added the next page would be the same
  }
}

async function compare (rows: OpenRow[], context: ReconcileContext): Promise<void> {
  if (rows.length === 0) return
  const { redis, queue, lostJobs, reconcileRequests } = context
  const states = await withSuccessors(rows, await readBullmqStates(redis, queue, rows), context)
  const candidates = rows.flatMap((row, i): Candidate[] => {
    const bullmq = states[i] as BullmqState
    if (bullmq.state === 'missing' && reconcileRequests.isPending(row.id, generationOf(row))) return []
    if (decide(row, bullmq, lostJobs).action === 'none') return []
    return [{ row, decide: fresh => decide(fresh, bullmq, lostJobs), state: bullmq.state }]
  })
  await apply(candidates, context)
  await cancelAgain(rows.filter((row, i) => row.is_cancelled && OPEN_STATES.has(states[i]?.state)), context)
}

/**
 * Carries out the cancel requests of jobs that BullMQ has nevertheless: the command that adds a job may arrive after
 * the request, and Redis may have been away when the request was made.
 */
async function cancelAgain (cancelled: OpenRow[], { sql, redis, queue, log }: ReconcileContext): Promise<void> {
  if (cancelled.length === 0) return
  const rows = (await unchangedRows(sql, cancelled)).filter(row => row.is_cancelled)
  for (const row of rows) {
    try {
      await carryOutCancel(row, { userId: row.user_id, redis, findQueue: () => queue })
      log.info({ queue: queue.name, jobId: row.id }, 'reconcile: cancelled again')
    } catch (err) {
      if ((err as { statusCode?: number }).statusCode !== 409) throw err
      log.info({ err, queue: queue.name, jobId: row.id }, 'reconcile: not cancelled again')
    }
  }
}

/** Adds the successors of missing jobs of other producers to their states. */
async function withSuccessors (
  rows: OpenRow[], states: BullmqState[], context: ReconcileContext
): Promise<BullmqState[]> {
  const { sql, redis, queue } = context
  const missing = rows.filter((row, i) => !row.submitted_here && states[i]?.state === 'missing')
  if (missing.length === 0) return states
  await waitForRows(context) // a successor that ended before the state was read is known by its row
  const successors = await findSuccessors({ sql, redis, queue }, missing)
  return rows.map((row, i) => {
    const successor = successors.get(row.n)
    return successor ? { state: 'missing', successor } : states[i] as BullmqState
  })
}
