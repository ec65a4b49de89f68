import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { encodeFoundJobs, FIND_JOBS_PATH, FindJobs } from '@tidings/contracts'
import { accessControl, rateLimits, redisUrl } from '@tidings/service-kit'
import { jobJson } from '../read/job-row.ts'
import { NotThereYet } from '../read/wait-for-event.ts'
import { clientGone } from './client-gone.ts'

/**
 * `POST /internal/find-jobs`: the lookups of a gateway for its clients, with the client's own token, of many jobs at
 * once and with any id. The edge does not route it. Its rate limit is separate from that of the user's REST requests: a
 * client that reconnects to its gateway must not use up the polls of its user.
 */
export const internalRoutes: FastifyPluginAsyncTypebox = async function internalRoutes (app) {
  app.addHook('onRequest', app.authenticate)
  await app.register(rateLimits, { name: 'find-jobs', max: app.config.RATE_LIMIT_MAX, redisUrl: redisUrl(app.config) })
  await app.register(accessControl)

  app.post(FIND_JOBS_PATH, {
    config: { access: 'jobs:read', isAudited: false }, // the gateway logs the operator's session
    schema: { hide: true, body: FindJobs }
  }, async (request, reply) => {
    const { body: { after, jobs }, ownerId: userId } = request
    if (after !== undefined) await waitForEvent(after, clientGone(reply))
    const rows = await Promise.all(jobs.map(({ jobId, queue }) => app.findJobForGateway({ userId, jobId, queue })))
    return reply.type('application/octet-stream').send(encodeFoundJobs(rows.map(row => row && jobJson(row))))
  })

  /** A gateway knows events from the stream only: an unknown one is not invalid, it has not arrived here yet. */
  async function waitForEvent (after: string, signal: AbortSignal) {
    try {
      await app.waitForEvent(after, signal)
    } catch (err) {
      throw (err as { statusCode?: number }).statusCode === 400 ? new NotThereYet() : err
    }
  }
}
