import fp from 'fastify-plugin'
import { isAway } from '@tidings/service-kit'
import { batchedReader } from '../read/batched-reader.ts'
import { findJobs, type FoundJob, type JobKey } from '../read/find-jobs.ts'

/** Decorates `app.findJob(key)`: the reads of one turn of the event loop share a statement. */
export const jobReader = fp(async function jobReader (app) {
  app.decorate('findJob', batchedReader<JobKey, FoundJob>({ readMany: keys => findJobs(app.sql, keys), isShared: isAway }))
}, { name: 'job-reader', dependencies: ['postgres'] })

declare module 'fastify' {
  interface FastifyInstance {
    findJob: (key: JobKey) => Promise<FoundJob | undefined>
  }
}
