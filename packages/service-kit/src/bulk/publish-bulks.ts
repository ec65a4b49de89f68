import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { bulkProgressChannel, type BulkProgressMessage } from '@tidings/contracts'
import { isActive, type BulkRow } from './bulk-row.ts'

/** The least time between two messages about one bulk action, except for its end. */
const INTERVAL_MS = 500

type Options = { redis: Redis, prefix: string, log: FastifyBaseLogger }

/**
 * Publishes the progress of bulk actions to all gateways: at most twice a second for each, and once at its end. A
 * message may be lost; GET /bulk/:id is the truth.
 */
export function publishBulks ({ redis, prefix, log }: Options) {
  const channel = bulkProgressChannel(redis.options?.db ?? 0)
  /** The last message of bulk actions that have not ended: a few hundred at most, one for each user's. */
  const published = new Map<number, number>()
  const timer = setInterval(() => forgetOld(), 60_000).unref()

  function publish (row: BulkRow): void {
    const last = published.get(row.n)
    const now = performance.now()
    if (isActive(row) && last !== undefined && now - last < INTERVAL_MS) return
    if (isActive(row)) published.set(row.n, now)
    else published.delete(row.n)
    const { id, user_id: userId, action, state, matched, done, failed, skipped } = row
    const message: BulkProgressMessage = {
      userId, progress: { bulkId: prefix + id, action, state, matched, done, failed, skipped }
    }
    redis.publish(channel, JSON.stringify(message)).catch(err => log.debug({ err }, 'bulk: progress not published'))
  }

  /** Those that another replica works on now. */
  function forgetOld () {
    const before = performance.now() - 60_000
    for (const [n, at] of published) if (at < before) published.delete(n)
  }

  return Object.assign(publish, { stop: () => clearInterval(timer) })
}
