import fp from 'fastify-plugin'
import { createStreamReader } from '@tidings/job-events'
import type { Config } from '../config.ts'
import { longPollsHeld } from '../metrics.ts'
import type { FoundJob, JobKey } from './find-jobs.ts'
import { holdUntilNews } from './wait-for-change.ts'
import { longPolls } from './long-polls.ts'
import { reachEvent } from './wait-for-event.ts'

type Hold = { key: JobKey, waitMs: number, ifNoneMatch: string | undefined, signal: AbortSignal }

/**
 * Decorates `app.reachEvent` (`?after`) and `app.holdJob` (`?wait`). Held
 * requests are answered when the service closes, so that none delays it.
 */
export const waiting = fp<{ config: Config }>(async function waiting (app, { config }) {
  const stream = createStreamReader(app.redis)
  const closing = new AbortController()
  const places = longPolls({ max: config.LONG_POLLS_MAX, maxPerUser: config.LONG_POLLS_PER_USER })
  const reach = { projected: app.projected, lastId: stream.last, log: app.log }
  const sources = { findJob: app.findJob, projected: app.projected }

  longPollsHeld(app.metricsRegistry, () => places.held)
  app.addHook('preClose', async () => closing.abort())
  app.decorate('reachEvent', async (after, signal) => await reachEvent(after, AbortSignal.any([signal, closing.signal]), reach))
  app.decorate('holdJob', async ({ signal, ...hold }) =>
    await places.withPlace(hold.key.userId, async () => await holdUntilNews({ ...hold, signal: AbortSignal.any([signal, closing.signal]) }, sources)))
}, { name: 'waiting', dependencies: ['metrics', 'redis', 'projector', 'job-reader'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** Waits until the rows stand at an event. */
    reachEvent: (after: string, signal: AbortSignal) => Promise<void>
    /** Reads a job once there is news of it. */
    holdJob: (hold: Hold) => Promise<FoundJob | undefined>
  }
}
