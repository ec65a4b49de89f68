import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { ERASURES_KEY, isErased, reportErased } from '@tidings/contracts'
import { createStreamReader, isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { RawSql, Run } from '@tidings/service-kit'
import { erasePage, eraseWebhooks } from './erase-user.ts'

/** How long no data must be found: outcomes that another replica held are written by then. */
const QUIET_MS = 5000

type ErasuresOptions = { sql: RawSql, redis: Redis, log: FastifyBaseLogger, quietMs?: number }

type Quiet = { since: number, end: EventId }

/**
 * Makes the function that works on the erasures that operators requested. When nothing was found for a while and
 * fan-out has passed the end that the stream had then, the webhooks of the user are deleted too, and the user is
 * reported as erased. The search goes on until jobs-api has finished as well: a job that it still has to cancel may
 * name a webhookUrl. After a restart everything starts again.
 */
export function createErasures ({ sql, redis, log, quietMs = QUIET_MS }: ErasuresOptions) {
  const stream = createStreamReader(redis)
  const quiet = new Map<string, Quiet>()

  /** Returns whether there may be more to erase at once. */
  return async function erase (run?: Run): Promise<boolean> {
    const requested = Object.entries(await redis.hgetall(ERASURES_KEY))
    const isRequested = (id: string) => requested.some(([erasureId]) => erasureId === id)
    for (const id of quiet.keys()) if (!isRequested(id)) quiet.delete(id)
    if (requested.length === 0) return false
    let found = 0
    for (const [erasureId, userId] of requested) {
      const here = await erasePage(sql, userId)
      if (here > 0) quiet.delete(erasureId)
      else if (!quiet.has(erasureId)) {
        quiet.set(erasureId, { since: performance.now(), end: await stream.last() ?? ZERO })
      }
      found += here
      if (await isQuiet(erasureId) && await eraseWebhooks(sql, userId)) await report(erasureId)
      run?.alive?.()
    }
    return found > 0
  }

  async function isQuiet (erasureId: string): Promise<boolean> {
    const known = quiet.get(erasureId)
    return known !== undefined && performance.now() - known.since >= quietMs && await isPast(known.end)
  }

  /** Once: the search may go on after that. */
  async function report (erasureId: string): Promise<void> {
    if (await isErased(redis, erasureId, 'webhook-dispatcher')) return
    await reportErased(redis, erasureId, 'webhook-dispatcher')
    log.info({ erasureId, audit: true }, 'user erased')
  }

  async function isPast (end: EventId): Promise<boolean> {
    const [slowest] = await sql<EventId[]>`
      select event_ms as ms, event_seq as seq from webhooks.shard_positions order by event_ms, event_seq limit 1`
    return slowest !== undefined && !isNewer(end, slowest)
  }
}
