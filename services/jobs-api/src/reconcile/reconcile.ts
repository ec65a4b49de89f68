import type { Doubts } from '../relay/reconcile-requests.ts'
import { recall, rememberReconciled, suspect } from '../relay/relay-state.ts'
import { caughtUp, conclude, type ConcludeContext } from './apply.ts'
import { judge, judgeMissing, type LostJobs } from './decide.ts'
import { findSuccessors } from './find-successors.ts'
import { lookUp, type Found } from './bullmq-state.ts'
import { doubtfulRows, generationOf, newestRow, openRows, outboxRows, silentRows, type OpenRow } from './open-rows.ts'

const PAGE = 200
/** Rows that one sweep looks at, silent or not; and jobs that one sweep adds: after an outage there are many. */
const SILENT_AT_A_TIME = 5000
const ADDED_AT_A_TIME = 10_000

export type ReconcileContext = ConcludeContext & { lostJobs: LostJobs, doubts: Doubts }

/** Compares all open rows of the queue with BullMQ, if they are in doubt: after a gap, a clean, a lost or restored Redis. */
export async function reconcileSuspected (context: ReconcileContext, signal: AbortSignal): Promise<void> {
  const { redis, sql, queue, log } = context
  const { suspected, reconciled } = await recall(redis, queue.name)
  if (suspected === reconciled) return
  const upTo = await newestRow(sql)
  let [after, compared] = [0, 0]
  for (;;) {
    if (signal.aborted) return // whoever comes next begins anew
    const rows = await openRows(sql, queue.name, { after, upTo, limit: PAGE })
    await compare(rows, context)
    compared += rows.length
    after = rows.at(-1)?.n ?? upTo
    if (rows.length < PAGE) break
  }
  await rememberReconciled(redis, queue.name, suspected)
  log.info({ queue: queue.name, compared }, 'reconcile: open jobs compared with BullMQ')
}

/** Compares jobs of other producers that were removed, or whose place another job may have taken. */
export async function reconcileDoubts (context: ReconcileContext): Promise<void> {
  const { doubts, redis, sql, queue } = context
  const { doubts: due, isFull } = doubts.take()
  if (isFull) await suspect(redis, [queue.name])
  while (due.length > 0) {
    const some = due.splice(0, PAGE)
    try {
      await caughtUp(context) // so that there is a row of each
      await compare(await doubtfulRows(sql, queue.name, some), context)
    } catch (err) {
      for (const doubt of [...some, ...due]) doubts.note(doubt)
      throw err
    }
  }
}

/** Compares rows that told nothing for long: BullMQ leaves no event when a queue is drained. */
export async function reconcileSilent (silentMs: number, context: ReconcileContext, signal: AbortSignal): Promise<void> {
  const { sql, queue } = context
  for (let lookedAt = 0; lookedAt < SILENT_AT_A_TIME; lookedAt += PAGE) {
    const { rows, isEnd } = await silentRows(sql, queue.name, { silentMs, limit: PAGE })
    await compare(rows, context)
    if (isEnd || signal.aborted) return
  }
}

/** Adds jobs that Redis did not take when they were submitted. */
export async function sweepOutbox (olderThanMs: number, context: ReconcileContext, signal: AbortSignal): Promise<void> {
  const { sql, queue, metrics } = context
  for (let swept = 0; swept < ADDED_AT_A_TIME; swept += PAGE) {
    const rows = await outboxRows(sql, queue.name, { olderThanMs, limit: PAGE })
    const added = await conclude(rows.map(row => ({ row, judge: fresh => judgeMissing(fresh, 'rerun') })), context)
    metrics.swept.inc({ queue: queue.name }, added)
    if (rows.length < PAGE || added === 0 || signal.aborted) return // where none was added the next page would be the same
  }
}

async function compare (rows: OpenRow[], context: ReconcileContext): Promise<void> {
  if (rows.length === 0) return
  const { redis, queue, lostJobs, doubts } = context
  const found = await withSuccessors(rows, await lookUp(redis, queue, rows), context)
  const cases = rows.flatMap((row, i) => {
    const one = found[i] as Found
    if (one.state === 'missing' && doubts.isPending(row.id, generationOf(row))) return []
    return judge(row, one, lostJobs).verdict === 'agrees' ? [] : [{ row, judge: (fresh: OpenRow) => judge(fresh, one, lostJobs), state: one.state }]
  })
  await conclude(cases, context)
}

/** What is said of missing jobs of other producers is completed by who took their place. */
async function withSuccessors (rows: OpenRow[], found: Found[], context: ReconcileContext): Promise<Found[]> {
  const { sql, redis, queue } = context
  const missing = rows.filter((row, i) => !row.ours && found[i]?.state === 'missing')
  if (missing.length === 0) return found
  await caughtUp(context) // a successor that ended before the look is known by its row
  const successors = await findSuccessors({ sql, redis, queue }, missing)
  return rows.map((row, i) => {
    const successor = successors.get(row.n)
    return successor ? { state: 'missing', successor } : found[i] as Found
  })
}
