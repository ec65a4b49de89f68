import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import {
  consume, createStreamWriter, decode, decodeAll, formatEventId, isNewer, newest, ZERO,
  type ConsumedBatch, type Entry, type EventId, type Gap, type StreamConsumer, type UnsupportedJobEvent
} from '@tidings/job-events'
import { isItemFault, type RawSql } from '@tidings/service-kit'
import type { BadItems } from '../bad-items/bad-items.ts'
import { movePosition, readPosition } from '../db/projector-position.ts'
import type { BackgroundMetrics } from '../metrics.ts'
import type { FindQueue } from '../submit/enqueue.ts'
import { projectBatch } from './project-batch.ts'
import { changeKey, type ProjectionProgress } from './projection-progress.ts'
import { restoreLargeValues } from './restore-large-values.ts'

/**
 * Without it Postgres would mostly run transactions of six statements for one event; polls get an event this much
 * later.
 */
const LINGER_MS = 20

type ProjectorOptions = {
  redis: Redis
  sql: RawSql
  projection: ProjectionProgress
  findQueue: FindQueue
  badItems: BadItems
  log: FastifyBaseLogger
  metrics: BackgroundMetrics
  /** Called when events were lost before they were projected, so that rows may be behind forever. */
  onGap: (gap: Gap) => Promise<void> | void
  /** Called when an event of a version that this release does not support stops the projector. */
  onHalted: (fault: UnsupportedJobEvent) => void
}

/** Projects the job-event stream into Postgres, from the position in Postgres. */
export function startProjector (
  { redis, sql, projection, findQueue, badItems, log, metrics, onGap, onHalted }: ProjectorOptions
): StreamConsumer {
  const stream = createStreamWriter(redis)
  /** Up to here the relay had stored values in a state that Postgres has lost. */
  let lostUpTo = ZERO
  return consume({ redis, log, lingerMs: LINGER_MS, position, onBatch: projectIsolated, onGap: skipGap, onHalted })

  /** The first start is at the epoch, so that the newest id can be reached before any event is published. */
  async function position (): Promise<EventId> {
    const at = await readNow()
    if (isNewer(at, ZERO)) return at
    const { epoch } = await stream.open()
    return await movePosition(sql, at, epoch) ? epoch : await readPosition(sql)
  }

  /** Reads the position, and notes where the stream is if Postgres has gone back. */
  async function readNow (): Promise<EventId> {
    const { highest } = projection
    const at = await readPosition(sql)
    if (isNewer(highest, at)) lostUpTo = newest(highest, await stream.last() ?? ZERO)
    return at
  }

  async function project ({ from, to, entries }: ConsumedBatch): Promise<EventId> {
    const malformed: [Entry, Error][] = []
    const events = decodeAll(entries, (err, entry) => malformed.push([entry, err]))
    if (isNewer(lostUpTo, from)) await restoreLargeValues(events, { sql, redis, findQueue })
    // Another replica was faster, or Postgres has gone back.
    if (!await projectBatch(sql, { from, to, events })) return await readNow()
    for (const [entry, err] of malformed) skip(entry, err) // once, although a part of the batch may be tried repeatedly
    metrics.projected.inc(events.length)
    projection.advance(to, events.map(({ userId, jobId }) => changeKey(userId, jobId)))
    return to
  }

  /**
   * An event that cannot be projected must not stop the others: the batch is halved until the event stands alone, and
   * it is skipped.
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
    const { reason, position, resumeAt } = gap
    const ids = { position: formatEventId(position), resumeAt: formatEventId(resumeAt) }
    log.error({ reason, ...ids }, 'projector: gap in the stream')
    metrics.gaps.inc()
    await onGap(gap) // first: a crash in between must not lose the request to reconcile
    if (await movePosition(sql, position, resumeAt)) projection.advance(resumeAt, [])
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
    return { queue: '' } // the entry cannot be decoded
  }
}
