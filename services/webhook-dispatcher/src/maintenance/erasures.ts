import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { ERASURES_KEY, pendingErasures, reportErased } from '@tidings/contracts'
import { createStreamReader, isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { erasePage } from './erase-user.ts'

/** Nothing must be found for so long: what another replica had in hand is written by then. */
const QUIET_MS = 5000

type ErasuresOptions = { sql: RawSql, redis: Redis, log: FastifyBaseLogger, quietMs?: number }

type Quiet = { since: number, end: EventId }

/**
 * Makes the function that works on the erasures that operators asked for. A user's end is reported when nothing was found
 * for a while and ingest has passed the end that the stream had then. Until jobs-api has finished too it is looked for
 * more: a job that is still cancelled may name a webhookUrl. All is found anew after a restart.
 */
export function createErasures ({ sql, redis, log, quietMs = QUIET_MS }: ErasuresOptions) {
  const stream = createStreamReader(redis)
  const quiet = new Map<string, Quiet>()

  /** Returns whether there may be more to erase at once. */
  return async function erase (): Promise<boolean> {
    const requested = Object.entries(await redis.hgetall(ERASURES_KEY))
    for (const id of quiet.keys()) if (!requested.some(([erasureId]) => erasureId === id)) quiet.delete(id)
    if (requested.length === 0) return false
    let found = 0
    for (const [erasureId, userId] of requested) {
      const here = await erasePage(sql, userId)
      if (here > 0) quiet.delete(erasureId)
      else if (!quiet.has(erasureId)) quiet.set(erasureId, { since: performance.now(), end: await stream.last() ?? ZERO })
      found += here
    }
    for (const { erasureId } of await pendingErasures(redis, 'webhook-dispatcher')) await report(erasureId)
    return found > 0
  }

  async function report (erasureId: string): Promise<void> {
    const known = quiet.get(erasureId)
    if (!known || performance.now() - known.since < quietMs || !await isPast(known.end)) return
    await reportErased(redis, erasureId, 'webhook-dispatcher')
    log.info({ erasureId, audit: true }, 'user erased')
  }

  async function isPast (end: EventId): Promise<boolean> {
    const [slowest] = await sql<EventId[]>`select event_ms as ms, event_seq as seq from webhooks.positions order by event_ms, event_seq limit 1`
    return slowest !== undefined && !isNewer(end, slowest)
  }
}
