import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SubmitJob, SubmitJobs, SubmittedJob, SubmittedJobs } from '@tidings/contracts'
import { problemResponses } from '@tidings/service-kit'
import { checkJobs } from '../submit/check.ts'
import { submissionOf, withoutNulls } from '../submit/submission.ts'
import { submit, submitOne } from '../submit/submit.ts'
import { IdempotencyHeaders, JobLocation, submitContext } from './submit-context.ts'
import { successResponse } from './success-response.ts'

/** A thousand jobs may be larger than one. */
const BATCH_BODY_LIMIT = 8 * 1024 * 1024

/** POST /submit-job, POST /submit-jobs */
export const submitRoutes: FastifyPluginAsyncTypebox = async function submitRoutes (app) {
  const tags = ['submit']
  const { rules, submissionContext, contextOf } = submitContext(app)

  app.post('/submit-job', {
    config: { access: 'jobs:write' },
    schema: {
      operationId: 'submitJob',
      tags,
      summary: 'Submit a job',
      description: 'Accepted once it is stored; it runs even if the queue is unavailable at the moment.',
      headers: IdempotencyHeaders,
      body: SubmitJob,
      response: { 202: successResponse(SubmittedJob, 'Accepted', JobLocation), ...problemResponses(409, 413, 415) }
    }
  }, async (request, reply) => {
    const wanted = withoutNulls(request.body)
    checkJobs([wanted], rules, () => 'body')
    const job = submissionOf(wanted, submissionContext(request.ownerId))
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
      headers: IdempotencyHeaders,
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
    const jobs = wanted.map(job => submissionOf(job, submissionContext(request.ownerId)))
    return reply.code(202).send({ jobs: await submit(jobs, contextOf(request, { jobs: wanted })) })
  })
}
