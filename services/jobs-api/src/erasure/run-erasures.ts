import type { FastifyBaseLogger } from 'fastify'
import { ERASURES_KEY, erasureStatusKey } from '@tidings/contracts'
import { createStreamReader } from '@tidings/job-events'
import type { Run } from '@tidings/service-kit'
import type { ProjectionProgress } from '../projector/projection-progress.ts'
import { eraseUser, type EraseContext } from './erase-user.ts'
import { pendingRows, recordErased, recordQuiet, recordReport, type ErasureRow } from './erasures.ts'

/** How long the report of a finished erasure is kept in Redis. */
const STATUS_TTL_S = 30 * 24 * 3600

type RunContext = EraseContext & { projection: ProjectionProgress, quietMs: number, log: FastifyBaseLogger }
type Pending = ErasureRow & { user_id: string }

/**
 * Works on every pending erasure once. This service has finished when no row of the user was found, the projection has
 * then passed the end of the stream, and still no row was found: an unprojected event would have written one.
 */
export async function runErasures (context: RunContext, run: Run): Promise<void> {
  for (const erasure of await pendingRows(context.sql)) {
    if (run.signal.aborted) return
    if (erasure.jobs_api_at === null) await eraseHere(erasure, context, run)
    await exchangeReports(erasure, context)
    run.alive?.()
  }
}

async function eraseHere (erasure: Pending, context: RunContext, run: Run): Promise<void> {
  const { sql, redis, projection, quietMs, log } = context
  const found = await eraseUser(erasure.user_id, context, run)
  if (found > 0 || run.signal.aborted) return await recordQuiet(sql, erasure.id, undefined)
  if (erasure.quiet_since === null) return await recordQuiet(sql, erasure.id, await createStreamReader(redis).last())
  const end = { ms: erasure.quiet_ms ?? 0, seq: erasure.quiet_seq ?? 0 }
  if (!projection.hasReached(end) || Date.now() - erasure.quiet_since.getTime() < quietMs) return
  await recordErased(sql, erasure.id)
  log.info({ erasureId: erasure.id, audit: true }, 'user erased')
}

/** Writes the request each time, since Redis may have lost it. */
async function exchangeReports ({ id, user_id: userId }: Pending, { sql, redis }: RunContext): Promise<void> {
  await redis.hset(ERASURES_KEY, id, userId)
  const reported = await redis.hget(erasureStatusKey(id), 'webhook-dispatcher')
  if (!await recordReport(sql, id, reported === null ? undefined : Number(reported))) return
  await redis.hdel(ERASURES_KEY, id)
  await redis.expire(erasureStatusKey(id), STATUS_TTL_S)
}
