import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { DeliveryStates } from '@tidings/contracts'
import { createStreamReader } from '@tidings/job-events'
import { problemResponses } from '@tidings/service-kit'
import { deliveryStates } from '../delivery-log/delivery-states.ts'

/** GET /operators/deliveries */
export const operatorRoutes: FastifyPluginAsyncTypebox = async function operatorRoutes (app) {
  const stream = createStreamReader(app.redis)

  app.get('/deliveries', {
    config: { access: 'operator:read' },
    schema: {
      operationId: 'getDeliveryStates',
      tags: ['operators'],
      summary: 'Get the backlog of deliveries, the replicas, and the endpoints that fail',
      description: 'Needs scope `operator:read`.',
      response: { 200: DeliveryStates, ...problemResponses() }
    }
  }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return await deliveryStates(app.sql, stream)
  })
}
