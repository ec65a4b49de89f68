import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { QueueStates } from '@tidings/contracts'
import { createStreamReader, createStreamWriter } from '@tidings/job-events'
import { problemResponses } from '@tidings/service-kit'
import { backlogOf } from '../bullmq/event-stream.ts'
import { streamBounds } from '../config.ts'
import { successResponse } from './success-response.ts'

const COUNTED = ['waiting', 'prioritized', 'active', 'delayed', 'waiting-children'] as const

/** GET /operators/queues */
export const operatorRoutes: FastifyPluginAsyncTypebox = async function operatorRoutes (app) {
  const { config } = app

  app.get('/queues', {
    config: { access: 'operator:read' },
    schema: {
      operationId: 'getQueueStates',
      tags: ['operators'],
      summary: 'Get the state of the queues and of their consumers',
      description: 'Needs scope `operator:read`.',
      response: { 200: successResponse(QueueStates, 'The queues'), ...problemResponses() }
    }
  }, async (_request, reply): Promise<QueueStates> => {
    const stream = createStreamWriter(app.redis, streamBounds(config))
    const [queues, last, { events, bytes }] = await Promise.all([
      Promise.all(config.queues.map(async name => await stateOf(name, await stream.position(name)))),
      createStreamReader(app.redis).last(),
      stream.size()
    ])
    reply.header('cache-control', 'no-store')
    return {
      queues,
      projectorLagMs: Math.max(0, (last?.ms ?? 0) - app.projection.position.ms),
      stream: { events, bytes }
    }
  })

  async function stateOf (
    name: string, position: Parameters<typeof backlogOf>[2]
  ): Promise<QueueStates['queues'][number]> {
    const queue = app.findQueue(name)
    const [counts, isPaused, relayBacklog] = await Promise.all([
      queue.getJobCounts(...COUNTED), queue.isPaused(), backlogOf(app.redis, queue, position)
    ])
    const { waiting = 0, prioritized = 0, active = 0, delayed = 0, 'waiting-children': waitingChildren = 0 } = counts
    return { queue: name, isPaused, waiting: waiting + prioritized, active, delayed, waitingChildren, relayBacklog }
  }
}
