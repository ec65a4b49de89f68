import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import {
  createStreamWriter, decode, decodeAll, consume, formatEventId, isNewer, ZERO,
  type Entry, type EventId, type ConsumedBatch, type StreamConsumer, type Gap, type UnsupportedJobEvent
} from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { BadItems } from '../bad-items/bad-items.ts'
import { isItemFault } from '../bad-items/item-fault.ts'
import type { BackgroundMetrics } from '../metrics.ts'
import { movePosition, readPosition } from '../db/projector-position.ts'
import { projectBatch } from './project-batch.ts'
import { changeKey, type ProjectionProgress } from './projection-progress.ts'

/** A transaction of six statements for each event alone is what Postgres would mostly do; polls see an event so much later at most. */
const LINGER_MS = 20

type ProjectorOptions = {
  redis: Redis
  sql: RawSql
  projection: ProjectionProgress
  badItems: BadItems
  log: FastifyBaseLogger
  metrics: BackgroundMetrics
  /** Told when events can be had no more, so that rows may be behind for ever. */
  onGap: (gap: Gap) => Promise<void> | void
  /** Called when an event of a version that this release does not know stops it. */
  onHalted: (fault: UnsupportedJobEvent) => void
}

/** Follows the job-event stream into Postgres, from the position that Postgres holds. */
export function startProjector ({ redis, sql, projection, badItems, log, metrics, onGap, onHalted }: ProjectorOptions): StreamConsumer {
  return consume({ redis, log, lingerMs: LINGER_MS, position, onBatch: projectIsolated, onGap: skipGap, onHalted })

  /** A first start begins at the epoch: so the newest id can be reached where nothing was told yet. */
  async function position (): Promise<EventId> {
    const at = await readPosition(sql)
    if (isNewer(at, ZERO)) return at
    const { epoch } = await createStreamWriter(redis).open()
    return await movePosition(sql, at, epoch) ? epoch : await readPosition(sql)
  }

  async function project ({ from, to, entries }: ConsumedBatch): Promise<EventId> {
    const malformed: [Entry, Error][] = []
    const events = decodeAll(entries, (err, entry) => malformed.push([entry, err]))
    if (!await projectBatch(sql, { from, to, events })) return await readPosition(sql) // another replica was faster
    for (const [entry, err] of malformed) skip(entry, err) // once, however often a part of the batch was tried
    metrics.projected.inc(events.length)
    projection.advance(to, events.map(({ userId, jobId }) => changeKey(userId, jobId)))
    return to
  }

  /**
   * One event that cannot be projected must not hold up all others: halves are
   * tried until it stands alone, and it is skipped.
   */
  async function projectIsolated (batch: ConsumedBatch): Promise<EventId> {
    const { from, to, entries } = batch
    try {
      return await project(batch)
    } catch (err) {
      const [only] = entries
      if (!only || !isItemFault(err)) throw err
      if (entries.length === 1) {
        skip(only, err as Error)
        return await project({ from, to, entries: [] })
      }
    }
    const first = entries.slice(0, entries.length >> 1)
    const end = (first.at(-1) as Entry).id
    const at = await projectIsolated({ from, to: end, entries: first })
    if (formatEventId(at) !== formatEventId(end)) return at // another replica was faster
    return await projectIsolated({ from: at, to, entries: entries.slice(first.length) })
  }

  async function skipGap (gap: Gap) {
    log.error({ reason: gap.reason, position: formatEventId(gap.position), resumeAt: formatEventId(gap.resumeAt) }, 'projector: overtaken')
    metrics.gaps.inc()
    await onGap(gap) // first: a crash in between must not lose the need to reconcile
    if (await movePosition(sql, gap.position, gap.resumeAt)) projection.advance(gap.resumeAt, [])
  }

  function skip (entry: Entry, err: Error) {
    metrics.skipped.inc()
    badItems.report({ consumer: 'projector', item: formatEventId(entry.id), err, ...jobOf(entry) })
  }
}

function jobOf (entry: Entry): { queue: string, jobId?: string } {
  try {
    const { queue, jobId } = decode(entry)
    return { queue, jobId }
  } catch {
    return { queue: '' } // it names none that could be read
  }
}
