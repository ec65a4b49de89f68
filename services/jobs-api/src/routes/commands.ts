import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Job, JobQuery, type JobQuery as Query } from '@tidings/contracts'
import { allowEmptyBodies, problemResponses, sendJson } from '@tidings/service-kit'
import { cancelJob } from '../commands/cancel-job.ts'
import { retryJob } from '../commands/retry-job.ts'
import type { FoundJob } from '../read/find-jobs.ts'
import { jobNotFound } from '../read/job-not-found.ts'
import { jobJson } from '../read/job-row.ts'
import { successResponse } from './success-response.ts'
import { clientGone } from './client-gone.ts'
import { JobParams } from './jobs.ts'

/** POST /jobs/:jobId/cancel, /jobs/:jobId/retry */
export const commandRoutes: FastifyPluginAsyncTypebox = async function commandRoutes (app) {
  const schema = {
    tags: ['jobs'],
    params: JobParams,
    querystring: JobQuery,
    response: {
      202: successResponse(Job, 'Accepted; the job before the command'),
      ...problemResponses(404, 409, 413, 414, 415)
    }
  }
  allowEmptyBodies(app)
  const context = { sql: app.sql, redis: app.redis, findQueue: (name: string) => app.findQueue(name) }

  app.post('/:jobId/cancel', {
    config: { access: 'jobs:write' },
    schema: {
      ...schema,
      operationId: 'cancelJob',
      summary: 'Cancel a job',
      description: 'A waiting or delayed job is removed; the worker of an active job is signalled to stop. The job ' +
        'ends `failed` with "Cancelled by user". Returns the job before the command.'
    }
  }, async (request, reply) => {
    const row = await rowOf(request, clientGone(reply))
    await cancelJob(row, { ...context, userId: request.ownerId })
    return sendJson(reply.code(202), jobJson(row))
  })

  app.post('/:jobId/retry', {
    config: { access: 'jobs:write' },
    schema: {
      ...schema,
      operationId: 'retryJob',
      summary: 'Retry a failed job',
      description: 'Returns the job before the command.'
    }
  }, async (request, reply) => {
    const row = await rowOf(request, clientGone(reply))
    await retryJob(row, { ...context, userId: request.ownerId })
    return sendJson(reply.code(202), jobJson(row))
  })

  type CommandRequest = FastifyRequest<{ Params: { jobId: string }, Querystring: Query }>

  async function rowOf ({ params, query, ownerId }: CommandRequest, signal: AbortSignal): Promise<FoundJob> {
    if (query.after !== undefined) await app.waitForEvent(query.after, signal)
    const key = { userId: ownerId, jobId: params.jobId, queue: query.queue }
    const row = await app.findJob(key)
    if (!row) throw await jobNotFound(app.sql, key)
    return row
  }
}
