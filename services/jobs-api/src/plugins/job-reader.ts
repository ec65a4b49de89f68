import fp from 'fastify-plugin'
import { isAway } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { batchedReader } from '../read/batched-reader.ts'
import { findJobs, type FoundJob, type JobKey } from '../read/find-jobs.ts'

/** Decorates `app.findJob(key)`: the reads of one turn of the event loop share a statement. */
export const jobReader = fp<{ config: Config }>(async function jobReader (app, { config }) {
  app.decorate('findJob', batchedReader<JobKey, FoundJob>({
    readMany: keys => findJobs(app.sql, keys),
    isShared: isAway,
    timeoutMs: config.HANDLER_TIMEOUT_MS
  }))
}, { name: 'job-reader', dependencies: ['postgres'] })

declare module 'fastify' {
  interface FastifyInstance {
    findJob: (key: JobKey) => Promise<FoundJob | undefined>
  }
}
