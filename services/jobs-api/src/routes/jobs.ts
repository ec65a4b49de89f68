import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { CountJobsQuery, GetJobQuery, Job, JobCounts, JobId, JobList, ListJobsQuery } from '@tidings/contracts'
import { countByState } from '../read/count-jobs.ts'
import { toJob } from '../read/job-row.ts'
import { listJobs } from '../read/list-jobs.ts'
import { problemResponses } from './problem-responses.ts'

export const JobNotFound = createError('JOB_NOT_FOUND', 'No job %s', 404)
export const JobParams = Type.Object({ jobId: JobId })

/** GET /jobs, /jobs/counts, /jobs/:jobId */
export const jobRoutes: FastifyPluginAsyncTypebox = async function jobRoutes (app) {
  const tags = ['jobs']

  app.get('/', {
    schema: {
      operationId: 'listJobs',
      tags,
      summary: 'List your jobs, newest first',
      querystring: ListJobsQuery,
      response: { 200: JobList, ...problemResponses() }
    }
  }, async request => await listJobs(app.sql, request.user.userId, request.query))

  app.get('/counts', {
    schema: {
      operationId: 'countJobs',
      tags,
      summary: 'Count your jobs by state',
      querystring: CountJobsQuery,
      response: { 200: JobCounts, ...problemResponses() }
    }
  }, async request => await countByState(app.sql, request.user.userId))

  app.get('/:jobId', {
    schema: {
      operationId: 'getJob',
      tags,
      summary: 'Tell how a job stands',
      params: JobParams,
      querystring: GetJobQuery,
      response: { 200: Job, ...problemResponses(404) }
    }
  }, async request => {
    const { jobId } = request.params
    const row = await app.findJob({ userId: request.user.userId, jobId, queue: request.query.queue })
    if (!row) throw new JobNotFound(jobId)
    return toJob(row)
  })
}
