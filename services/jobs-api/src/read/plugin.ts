import fp from 'fastify-plugin'
import { createStreamReader } from '@tidings/job-events'
import { isAway } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { activeLongPolls } from '../metrics.ts'
import { batchedReader } from './batched-reader.ts'
import { findJobs, type FoundJob, type JobKey } from './find-jobs.ts'
import { createLongPolls } from './long-polls.ts'
import { createScanQueue } from './scan-queue.ts'
import { waitForChange, type Wait } from './wait-for-change.ts'
import { waitForEvent } from './wait-for-event.ts'

/** Searches that wait or run, in all and of one user. */
const SCANS = { max: 100, maxPerUser: 10 }

/**
 * Decorates `app.findJob(key)`: the reads of one tick of the event loop share a statement. `app.findJobForGateway` is
 * the same with a queue of its own, so that no poll waits behind the many jobs that a gateway reads at once.
 *
 * Decorates `app.waitForEvent` (`?after`) and `app.waitForJob` (`?wait`) as well. Waiting requests are answered when
 * the service closes, so that they do not delay it. `app.scan` runs searches, with a third of the connections at most.
 */
export const reads = fp<{ config: Config }>(async function reads (app, { config }) {
  const { sql, redis, projection, log } = app
  const reader = () => batchedReader<JobKey, FoundJob>({
    readMany: keys => findJobs(sql, keys),
    isShared: isAway,
    timeoutMs: config.HANDLER_TIMEOUT_MS
  })
  app.decorate('findJob', reader())
  app.decorate('findJobForGateway', reader())

  app.decorate('scan', createScanQueue({
    ...SCANS, maxRunning: Math.max(1, Math.floor(config.POSTGRES_CONNECTIONS / 3))
  }))

  const longPolls = createLongPolls({ max: config.LONG_POLLS_MAX, maxPerUser: config.LONG_POLLS_PER_USER })
  activeLongPolls(app.metricsRegistry, () => longPolls.active)

  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  const untilClosing = (signal: AbortSignal) => AbortSignal.any([signal, closing.signal])

  const stream = createStreamReader(redis)
  app.decorate('waitForEvent', async (after, signal) =>
    await waitForEvent(after, untilClosing(signal), { projection, lastId: stream.last, log }))
  app.decorate('waitForJob', async ({ signal, requesterId, ...wait }) => await longPolls.hold(requesterId, async () =>
    await waitForChange({ ...wait, signal: untilClosing(signal) }, { findJob: app.findJob, projection })))
}, { name: 'reads', dependencies: ['postgres', 'redis', 'metrics', 'projector'] })

declare module 'fastify' {
  interface FastifyInstance {
    findJob: (key: JobKey) => Promise<FoundJob | undefined>
    findJobForGateway: (key: JobKey) => Promise<FoundJob | undefined>
    /** Runs what reads many rows when it is its turn. It counts for the requester, who may be an operator. */
    scan: ReturnType<typeof createScanQueue>
    /** Waits until the rows have an event. */
    waitForEvent: (after: string, signal: AbortSignal) => Promise<void>
    /** Reads a job once it has changed. The long poll counts for the requester, who may be an operator. */
    waitForJob: (wait: Wait & { requesterId: string }) => Promise<FoundJob | undefined>
  }
}
