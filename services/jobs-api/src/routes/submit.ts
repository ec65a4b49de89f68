import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { SubmitJob, SubmitJobs, SubmittedJob, SubmittedJobs } from '@tidings/contracts'
import { checkJobs } from '../submit/check.ts'
import { fingerprint, keepFinished, submissionOf } from '../submit/submission.ts'
import { submit, submitOne } from '../submit/submit.ts'
import { withoutNulls } from '../submit/without-nulls.ts'
import { successResponse } from './success-response.ts'
import { egressRules, problemResponses } from '@tidings/service-kit'

/** A thousand jobs may weigh more than one. */
const BATCH_BODY_LIMIT = 8 * 1024 * 1024

const Headers = Type.Object({
  'idempotency-key': Type.Optional(Type.String({
    minLength: 1, maxLength: 255, pattern: '^[\\u0020-\\u007e]+$', description: 'A repeat with the same key and body within 24 hours gets the first one\'s answer'
  }))
})

/** POST /submit-job, POST /submit-jobs */
export const submitRoutes: FastifyPluginAsyncTypebox = async function submitRoutes (app) {
  const tags = ['submit']
  const [defaultQueue] = app.queueNames
  const keep = keepFinished(app.config)
  const rules = { queues: app.queueNames, egress: egressRules(app.config) }

  app.post('/submit-job', {
    schema: {
      operationId: 'submitJob',
      tags,
      summary: 'Submit a job',
      description: 'Accepted once it is written down; it runs even if the queue can\'t be reached at this moment.',
      headers: Headers,
      body: SubmitJob,
      response: { 202: successResponse(SubmittedJob, 'Accepted', { location: Type.String({ description: 'Where the job is told of' }) }), ...problemResponses(409, 413, 415) }
    }
  }, async (request, reply) => {
    const wanted = withoutNulls(request.body)
    checkJobs([wanted], rules, () => 'body')
    const job = submissionOf(wanted, { userId: request.user.userId, defaultQueue, keep })
    const submitted = await submitOne(job, contextOf(request, wanted))
    return reply.code(202).header('location', `/jobs/${submitted.jobId}`).send(submitted)
  })

  app.post('/submit-jobs', {
    bodyLimit: BATCH_BODY_LIMIT,
    schema: {
      operationId: 'submitJobs',
      tags,
      summary: 'Submit up to 1,000 jobs',
      description: 'All are accepted or none; each fault is named with the place of its job. A batch costs as many requests of the rate limit as it has jobs.',
      headers: Headers,
      body: SubmitJobs,
      response: { 202: successResponse(SubmittedJobs, 'Accepted, in the order of the request'), ...problemResponses(409, 413, 415) }
    }
  }, async (request, reply) => {
    const wanted = request.body.jobs.map(withoutNulls)
    checkJobs(wanted, rules, index => `body.jobs.${index}`)
    await app.chargeRequests(request, wanted.length - 1)
    const jobs = wanted.map(job => submissionOf(job, { userId: request.user.userId, defaultQueue, keep }))
    return reply.code(202).send({ jobs: await submit(jobs, contextOf(request, { jobs: wanted })) })
  })

  /** `body` as it was meant: what a client writes null for, or leaves out, is the same request. */
  function contextOf ({ headers, log, user, routeOptions }: FastifyRequest, body: object) {
    const key = headers['idempotency-key'] as string | undefined
    const repeatable = key === undefined ? undefined : { userId: user.userId, key, bodyHash: fingerprint(routeOptions.url ?? '', body) }
    return { sql: app.sql, findQueue: (name: string) => app.findQueue(name), log, maxOpen: app.config.JOBS_OPEN_MAX_PER_USER, repeatable }
  }
}
