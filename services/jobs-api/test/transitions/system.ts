import { FlowProducer, type Processor, type Queue } from 'bullmq'
import type { FastifyInstance } from 'fastify'
import { until, type TestContext, type TestRedis } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { jobRows } from '../job-rows.ts'
import { toldEvents, type SeenEvent } from '../told.ts'
import { adding } from './adding.ts'
import { changing } from './changing.ts'
import { flows } from './flows.ts'
import { processing } from './processing.ts'
import { removing } from './removing.ts'
import { scheduling } from './scheduling.ts'
import type { Bench, Transition } from './transition.ts'

export const TRANSITIONS: Transition[] = [...adding, ...scheduling, ...processing, ...flows, ...changing, ...removing]
export const QUEUES = [...new Set(TRANSITIONS.map(({ queue }) => queue))]

/** The counters of the two shared queues never give the same id: a job of the one is not taken for one of the other. */
export async function separateIds (app: FastifyInstance) {
  await app.redis.set('bull:idle:id', 1_000_000)
}

/** What each transition works with, over the real library. */
export function openBenches (t: TestContext, redis: TestRedis, app: FastifyInstance) {
  const queues = new Map(QUEUES.map(name => [name, producer(t, redis, name)]))
  const queueNamed = (name: string) => queues.get(name) as Queue
  const flow = new FlowProducer({ connection: redis.client({ maxRetriesPerRequest: null }) })
  const processors = new Map<string, Processor>()
  worker(t, redis, async (job, token, signal) => await processors.get(job.name)?.(job, token, signal), { name: 'busy', concurrency: 50 })

  return function benchOf ({ name, queue }: Transition): Bench {
    return {
      queue: queueNamed(queue),
      queueNamed,
      flow,
      redis: app.redis,
      add: async options => (await queueNamed(queue).add(name, { userId: 1 }, options)).id as string,
      process: (processor, of = name) => processors.set(of, processor),
      work: async (processor, options) => { await worker(t, redis, processor, { ...options, name: queue }).waitUntilReady() },
      seen: async jobId => { await until(async () => (await toldEvents(app.redis)).some(event => event.queue === queue && event.jobId === jobId)) },
      published: async (jobId, events) => { await untilPublished(app, { queue, jobId, events }) }
    }
  }
}

/** Waits until a job has published this; shared queues' jobs are found in the other one as well. */
async function untilPublished (app: FastifyInstance, { queue, jobId, events }: { queue: string, jobId: string, events: string }) {
  const queues = queue === 'busy' ? ['busy', 'idle'] : [queue]
  await until(async () => {
    const all = await toldEvents(app.redis)
    return queues.some(name => textOf(all.filter(event => event.queue === name && event.jobId === jobId)) === events)
  }, { what: `job ${jobId} of ${queue} to publish ${events}` })
}

/** What was published of a transition's jobs, and how they stand, in the form of `expected`. */
export async function outcomeOf (app: FastifyInstance, { queue, expected }: Transition, ids: Record<string, string>): Promise<Record<string, string>> {
  const [events, rows] = [await toldEvents(app.redis), await jobRows(app.sql as never)]
  const queues = queue === 'busy' ? ['busy', 'idle'] : [queue]
  return Object.fromEntries(Object.keys(expected).map(label => {
    const isIts = (one: { queue: string, id: string }) => queues.includes(one.queue) && one.id === ids[label]
    const states = rows.filter(isIts).map(({ state }) => state)
    const text = textOf(events.filter(({ queue, jobId }) => isIts({ queue, id: jobId })))
    const named = Object.entries(ids).reduce((text, [label, id]) => text.replaceAll(new RegExp(`bull:\\w+:${id}\\b`, 'g'), `<${label}>`), text)
    return [label, `${named} = ${states.join(', ') || 'gone'}`]
  }))
}

function textOf (events: SeenEvent[]): string {
  return events.map(event => {
    if (event.reopened) return 'reopened'
    if (event.type === 'failed') return `failed(${event.error})`
    return event.type === 'progress' ? `progress(${JSON.stringify(event.progress)})` : event.type
  }).join(' ')
}
