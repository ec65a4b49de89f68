import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { SubmitJob, SubmitJobs, SubmittedJob, SubmittedJobs } from '@tidings/contracts'
import { egressRules, problemResponses } from '@tidings/service-kit'
import { checkJobs } from '../submit/check.ts'
import { fingerprint, keepFinished, submissionOf, withoutNulls } from '../submit/submission.ts'
import { submit, submitOne } from '../submit/submit.ts'
import { successResponse } from './success-response.ts'

/** A thousand jobs may be larger than one. */
const BATCH_BODY_LIMIT = 8 * 1024 * 1024

const Headers = Type.Object({
  'idempotency-key': Type.Optional(Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: '^[\\u0020-\\u007e]+$',
    description: 'A repeated request with the same key and body within 24 hours gets the first response'
  }))
})

const JobLocation = { location: Type.String({ description: 'The path of the job' }) }

/** POST /submit-job, POST /submit-jobs */
export const submitRoutes: FastifyPluginAsyncTypebox = async function submitRoutes (app) {
  const tags = ['submit']
  const [defaultQueue] = app.queueNames
  const keep = keepFinished(app.config)
  const rules = { queues: app.queueNames, egress: egressRules(app.config) }

  app.post('/submit-job', {
    config: { access: 'jobs:write' },
    schema: {
      operationId: 'submitJob',
      tags,
      summary: 'Submit a job',
      description: 'Accepted once it is stored; it runs even if the queue is unavailable at the moment.',
      headers: Headers,
      body: SubmitJob,
      response: { 202: successResponse(SubmittedJob, 'Accepted', JobLocation), ...problemResponses(409, 413, 415) }
    }
  }, async (request, reply) => {
    const wanted = withoutNulls(request.body)
    checkJobs([wanted], rules, () => 'body')
    const job = submissionOf(wanted, { userId: request.ownerId, defaultQueue, keep })
    const submitted = await submitOne(job, contextOf(request, wanted))
    return reply.code(202).header('location', `/jobs/${submitted.jobId}`).send(submitted)
  })

  app.post('/submit-jobs', {
    config: { access: 'jobs:write' },
    bodyLimit: BATCH_BODY_LIMIT,
    schema: {
      operationId: 'submitJobs',
      tags,
      summary: 'Submit up to 1,000 jobs',
      description: 'All are accepted or none; the errors have the path of each invalid job. A batch counts as many ' +
        'requests for the rate limit as it has jobs.',
      headers: Headers,
      body: SubmitJobs,
      response: {
        202: successResponse(SubmittedJobs, 'Accepted, in the order of the request'),
        ...problemResponses(409, 413, 415)
      }
    }
  }, async (request, reply) => {
    const wanted = request.body.jobs.map(withoutNulls)
    checkJobs(wanted, rules, index => `body.jobs.${index}`)
    await app.chargeRequests(request, wanted.length - 1)
    const jobs = wanted.map(job => submissionOf(job, { userId: request.ownerId, defaultQueue, keep }))
    return reply.code(202).send({ jobs: await submit(jobs, contextOf(request, { jobs: wanted })) })
  })

  /** `body` is without nulls: a field that is null and one that is left out make the same request. */
  function contextOf ({ headers, log, ownerId, routeOptions }: FastifyRequest, body: object) {
    const key = headers['idempotency-key'] as string | undefined
    const bodyHash = key === undefined ? '' : fingerprint(routeOptions.url ?? '', body)
    const repeatable = key === undefined ? undefined : { userId: ownerId, key, bodyHash }
    const findQueue = (name: string) => app.findQueue(name)
    return { sql: app.sql, findQueue, log, maxOpen: app.config.JOBS_OPEN_MAX_PER_USER, repeatable }
  }
}
