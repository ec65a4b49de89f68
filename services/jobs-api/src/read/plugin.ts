import fp from 'fastify-plugin'
import { isAway } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { batchedReader } from './batched-reader.ts'
import { findJobs, type FoundJob, type JobKey } from './find-jobs.ts'

/**
 * Decorates `app.findJob(key)`: the reads of one turn of the event loop share a statement. `app.findJobForGateway` is
 * the same with a queue of its own, so that no poll waits behind the many that a gateway asks for at once.
 */
export const jobReader = fp<{ config: Config }>(async function jobReader (app, { config }) {
  const reader = () => batchedReader<JobKey, FoundJob>({
    readMany: keys => findJobs(app.sql, keys),
    isShared: isAway,
    timeoutMs: config.HANDLER_TIMEOUT_MS
  })
  app.decorate('findJob', reader())
  app.decorate('findJobForGateway', reader())
}, { name: 'job-reader', dependencies: ['postgres'] })

declare module 'fastify' {
  interface FastifyInstance {
    findJob: (key: JobKey) => Promise<FoundJob | undefined>
    findJobForGateway: (key: JobKey) => Promise<FoundJob | undefined>
  }
}
