import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JobQuery, ResubmitJob, SubmittedJob } from '@tidings/contracts'
import { problemResponses, withoutBody } from '@tidings/service-kit'
import { jobNotFound } from '../read/job-not-found.ts'
import { checkJobs } from '../submit/check.ts'
import { formerSubmission } from '../submit/former-submission.ts'
import { submissionOf } from '../submit/submission.ts'
import { firstAnswer, submitOne } from '../submit/submit.ts'
import { clientGone } from './client-gone.ts'
import { JobParams } from './jobs.ts'
import { IdempotencyHeaders, JobLocation, submitContext } from './submit-context.ts'
import { successResponse } from './success-response.ts'

/** POST /jobs/:jobId/resubmit */
export const resubmitRoute: FastifyPluginAsyncTypebox = async function resubmitRoute (app) {
  const { rules, submissionContext, contextOf } = submitContext(app)
  const findQueue = (name: string) => app.findQueue(name)

  app.post('/:jobId/resubmit', {
    config: { access: 'jobs:write' },
    preParsing: withoutBody.preParsing,
    schema: {
      operationId: 'resubmitJob',
      tags: ['submit'],
      summary: 'Submit a job once more',
      description: 'A new job with the name, queue, options and webhookUrl of a job in any state, and with its data ' +
        'or the data of the body. The limits of a submit apply.',
      params: JobParams,
      querystring: JobQuery,
      headers: IdempotencyHeaders,
      body: ResubmitJob,
      response: {
        202: successResponse(SubmittedJob, 'Accepted; the new job', JobLocation),
        ...problemResponses(404, 409, 413, 414, 415)
      }
    }
  }, async (request, reply) => {
    const { params: { jobId }, query: { queue, after }, ownerId: userId } = request
    const data = request.body?.data ?? undefined
    const context = contextOf(request, { jobId, queue, data })
    // Before the job is read: it may be gone by now.
    const [repeated] = context.repeatable ? await firstAnswer(app.sql, context.repeatable) ?? [] : []
    const submitted = repeated ?? await resubmit()
    return reply.code(202).header('location', `/jobs/${submitted.jobId}`).send(submitted)

    async function resubmit (): Promise<SubmittedJob> {
      if (after !== undefined) await app.waitForEvent(after, clientGone(reply))
      const key = { userId, jobId, queue }
      const row = await app.findJob(key)
      if (!row) throw await jobNotFound(app.sql, key)
      const former = await formerSubmission(row, { userId, sql: app.sql, redis: app.redis, findQueue })
      if (data) checkJobs([{ name: row.name, data }], rules, () => 'body')
      const wanted = data ? { ...former, data } : former
      checkJobs([wanted], rules, () => 'job')
      return await submitOne(submissionOf(wanted, submissionContext(userId)), context)
    }
  })
}
