import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import {
  createJobEventStream, decodeAll, follow, formatEventId, isNewer, ZERO,
  type EventId, type FollowedBatch, type Follower, type Overtaken, type UnsupportedJobEvent
} from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { EngineMetrics } from '../metrics.ts'
import { movePosition, readPosition } from './position.ts'
import { projectBatch } from './project-batch.ts'
import { isRefusal } from './refusal.ts'
import { changeKey, type Watch } from './watch.ts'

/** A transaction of six statements for each event alone is what Postgres would mostly do; polls see an event so much later at most. */
const LINGER_MS = 20

type ProjectorOptions = {
  redis: Redis
  sql: RawSql
  watch: Watch
  log: FastifyBaseLogger
  metrics: EngineMetrics
  /** Told when events can be had no more, so that rows may be behind for ever. */
  onOvertaken: (gap: Overtaken) => Promise<void> | void
  /** Called when an event of a version that this release does not know stops it. */
  onHalted: (fault: UnsupportedJobEvent) => void
}

/** Follows the job-event stream into Postgres, from the position that Postgres holds. */
export function startProjector ({ redis, sql, watch, log, metrics, onOvertaken, onHalted }: ProjectorOptions): Follower {
  return follow({ redis, log, lingerMs: LINGER_MS, position, onBatch, onOvertaken: skip, onHalted })

  /** A first start begins at the epoch: so the newest id can be reached where nothing was told yet. */
  async function position (): Promise<EventId> {
    const at = await readPosition(sql)
    if (isNewer(at, ZERO)) return at
    const { epoch } = await createJobEventStream(redis).open()
    return await movePosition(sql, at, epoch) ? epoch : await readPosition(sql)
  }

  async function onBatch (batch: FollowedBatch): Promise<EventId> {
    try {
      return await project(batch)
    } catch (err) {
      if (!isRefusal(err)) throw err
      log.warn({ err, from: formatEventId(batch.from) }, 'projector: Postgres refuses the batch, taking it event by event')
      return await projectSingly(batch)
    }
  }

  async function project ({ from, to, entries }: FollowedBatch): Promise<EventId> {
    const events = decodeAll(entries, err => stepOver(err))
    if (!await projectBatch(sql, { from, to, events })) return await readPosition(sql) // another replica was faster
    metrics.projected.inc(events.length)
    watch.announce(to, events.map(({ userId, jobId }) => changeKey(userId, jobId)))
    return to
  }

  // One event that Postgres can't hold must not hold up all that come after it.
  async function projectSingly ({ from, entries }: FollowedBatch): Promise<EventId> {
    let at = from
    for (const entry of entries) {
      const next = await project({ from: at, to: entry.id, entries: [entry] }).catch(async err => {
        if (!isRefusal(err)) throw err
        stepOver(err)
        return await project({ from: at, to: entry.id, entries: [] })
      })
      if (formatEventId(next) !== formatEventId(entry.id)) return next
      at = next
    }
    return at
  }

  async function skip (gap: Overtaken) {
    log.error({ reason: gap.reason, position: formatEventId(gap.position), resumeAt: formatEventId(gap.resumeAt) }, 'projector: overtaken')
    metrics.overtaken.inc()
    await onOvertaken(gap) // first: a crash in between must not lose the need to reconcile
    if (await movePosition(sql, gap.position, gap.resumeAt)) watch.announce(gap.resumeAt, [])
  }

  function stepOver (err: unknown) {
    metrics.steppedOver.inc()
    log.error({ err }, 'projector: event stepped over')
  }
}
