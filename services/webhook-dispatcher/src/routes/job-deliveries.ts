import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JobDeliveries, JobDeliveriesParams, JobDeliveriesQuery } from '@tidings/contracts'
import { compact, problemResponses } from '@tidings/service-kit'
import { listJobDeliveries } from '../delivery-log/job-deliveries.ts'

/** GET /jobs/:jobId/deliveries */
export const jobDeliveryRoutes: FastifyPluginAsyncTypebox = async function jobDeliveryRoutes (app) {
  app.get('/:jobId/deliveries', {
    config: { access: 'webhooks:read' },
    onSend: compact,
    schema: {
      operationId: 'listJobDeliveries',
      tags: ['deliveries'],
      summary: 'List the webhooks that the events of a job went to',
      description: 'Per event, oldest first; the newest 500 deliveries. Where the id occurs in several queues and ' +
        '`queue` is not given, the job whose event was delivered last. A job that is unknown, owned by another user ' +
        'or of which no webhook was notified has no events.',
      params: JobDeliveriesParams,
      querystring: JobDeliveriesQuery,
      response: { 200: JobDeliveries, ...problemResponses(414) }
    }
  }, async ({ ownerId: userId, params: { jobId }, query: { queue } }) =>
    await listJobDeliveries(app, { userId, jobId, queue }))
}
