import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { encodeFoundJobs, FIND_JOBS_PATH, FindJobs } from '@tidings/contracts'
import { rateLimits, redisUrl } from '@tidings/service-kit'
import { jobJson } from '../read/job-row.ts'
import { NotThereYet } from '../read/wait-for-event.ts'
import { clientGone } from './client-gone.ts'

/**
 * `POST /internal/find-jobs`: what a gateway asks for its clients, with the
 * client's own token, many jobs at once and by any id. No edge routes it. Its
 * requests are counted apart from those that the user makes over REST: a client
 * that comes back to its gateway must not use up what its user may poll.
 */
export const internalRoutes: FastifyPluginAsyncTypebox = async function internalRoutes (app) {
  app.addHook('onRequest', app.authenticate)
  await app.register(rateLimits, { name: 'find-jobs', max: app.config.RATE_LIMIT_MAX, redisUrl: redisUrl(app.config) })

  app.post(FIND_JOBS_PATH, { schema: { hide: true, body: FindJobs } }, async (request, reply) => {
    const { body: { after, jobs }, user: { userId } } = request
    if (after !== undefined) await reachEvent(after, clientGone(reply))
    const rows = await Promise.all(jobs.map(({ jobId, queue }) => app.findJobForGateway({ userId, jobId, queue })))
    return reply.type('application/octet-stream').send(encodeFoundJobs(rows.map(row => row && jobJson(row))))
  })

  /** A gateway knows events by the stream alone: one that is not known here is not wrong, it is only not here yet. */
  async function reachEvent (after: string, signal: AbortSignal) {
    try {
      await app.waitForEvent(after, signal)
    } catch (err) {
      throw (err as { statusCode?: number }).statusCode === 400 ? new NotThereYet() : err
    }
  }
}
