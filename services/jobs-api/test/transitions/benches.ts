import { FlowProducer, type Processor, type Queue } from 'bullmq'
import type { FastifyInstance } from 'fastify'
import type { TestContext, TestRedis } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { untilPublished, untilSeen } from './outcomes.ts'
import { QUEUES } from './table.ts'
import type { Bench, Transition } from './transition.ts'

/** The bench of each transition, for BullMQ for Node.js. */
export function openBenches (t: TestContext, redis: TestRedis, app: FastifyInstance) {
  const queues = new Map(QUEUES.map(name => [name, producer(t, redis, name)]))
  const queueNamed = (name: string) => queues.get(name) as Queue
  const flow = new FlowProducer({ connection: redis.client({ maxRetriesPerRequest: null }) })
  const processors = new Map<string, Processor>()
  worker(t, redis, async (job, token, signal) => await processors.get(job.name)?.(job, token, signal), {
    name: 'busy', concurrency: 50
  })

  return function benchOf ({ name, queue }: Transition): Bench {
    return {
      queue: queueNamed(queue),
      queueNamed,
      flow,
      redis: app.redis,
      add: async options => (await queueNamed(queue).add(name, { userId: 1 }, options)).id as string,
      process: (processor, of = name) => processors.set(of, processor),
      work: async (processor, options) => {
        await worker(t, redis, processor, { ...options, name: queue }).waitUntilReady()
      },
      seen: async jobId => { await untilSeen(app, { queue, jobId }) },
      published: async (jobId, events) => { await untilPublished(app, { queue, jobId, events }) }
    }
  }
}
