import { setTimeout as sleep } from 'node:timers/promises'
import { FlowProducer, Queue } from 'bullmq'
import type { TestContext } from '@tidings/testing'
import { random as randomOf, type Random } from '../random.ts'
import type { ChaosSystem } from '../system/chaos-system.ts'
import { randomJob } from './job-kinds.ts'
import { restOf, type Rest } from './rest.ts'

/** Another producer adds its jobs to this queue, and users submit some to it. */
const OWN = 'own'
const COMMAND_STATUSES = [202, 404, 409]

export interface SentJob {
  id: string
  queue: string
  user: string
  /** When it was known to be accepted, by `performance.now()`. */
  sentAt: number
  /** Another producer added it: only BullMQ has it until it is adopted. */
  isForeign?: boolean
  /** Its user cancelled it, and the request was accepted or may have been. */
  isCancelled?: boolean
  /** How often its user retried it, where the request was accepted or may have been. */
  retries?: number
}

interface LoadOptions {
  users: readonly string[]
  seed: number
  isOver: () => boolean
  /** The pause of a user between two actions, in milliseconds. */
  pauseMs: [number, number]
}

export type Load = (options: LoadOptions) => Promise<SentJob[]>

/** Submits, adds, cancels and retries jobs of users at random; resolves with all accepted jobs. */
export function createLoad (t: TestContext, system: ChaosSystem): Load {
  const { prefix } = system.redis
  const connection = system.redis.connect()
  const queue = new Queue(OWN, { connection, prefix, skipMetasUpdate: true })
  const flows = new FlowProducer({ connection, prefix })
  queue.on('error', () => {}) // Redis is away; commands wait for it
  flows.on('error', () => {})
  t.teardown(async () => await Promise.all([queue.close(), flows.close()]))

  return async ({ users, seed, isOver, pauseMs }) => {
    const lists = await Promise.all(users.map(async (user, n) => {
      const random = randomOf(seed * 1009 + n)
      const rest = restOf(system.url, user)
      const sent: SentJob[] = []
      const note = (queue: string, ids: string[], more?: Partial<SentJob>) => {
        const sentAt = performance.now()
        sent.push(...ids.map(id => ({ id, queue, user, sentAt, ...more })))
      }
      for (let round = 0; !isOver(); round++) {
        const key = `${seed}-${n}-${round}`
        if (random.happens(0.25)) note(OWN, await addDirectly({ queue, flows, user, key, random }), { isForeign: true })
        else await submit(rest, { key, random, note })
        const newest = sent.at(-1) as SentJob
        if (random.happens(0.15)) await command(rest, newest, 'cancel')
        if (random.happens(0.1)) await command(rest, random.oneOf(sent), 'retry')
        await sleep(random.between(...pauseMs))
      }
      return sent
    }))
    return lists.flat()
  }
}

interface SubmitOptions { key: string, random: Random, note: (queue: string, ids: string[]) => void }

async function submit (rest: Rest, { key, random, note }: SubmitOptions): Promise<void> {
  const queue = random.happens(0.8) ? 'default' : OWN
  const job = () => {
    const { name, data, options } = randomJob(random)
    return { name, data, queue, ...options }
  }
  if (random.happens(0.8)) {
    const { body } = await rest<{ jobId: string }>('/submit-job', { key, body: job(), expected: [202] })
    note(queue, [body.jobId])
  } else {
    const jobs = Array.from({ length: random.between(1, 4) }, job)
    const { body } = await rest<{ jobs: { jobId: string }[] }>('/submit-jobs', { key, body: { jobs }, expected: [202] })
    note(queue, body.jobs.map(({ jobId }) => jobId))
  }
}

interface Directly { queue: Queue, flows: FlowProducer, user: string, key: string, random: Random }

/** As another producer does. Ids of its own make a repeated command harmless. */
async function addDirectly ({ queue, flows, user, key, random }: Directly): Promise<string[]> {
  const spec = (n: number) => {
    const { name, data, options } = randomJob(random)
    return { name, data: { ...data, userId: user }, opts: { ...options, jobId: `own-${key}-${n}` } }
  }
  if (random.happens(0.7)) {
    const { name, data, opts } = spec(0)
    await untilAccepted(() => queue.add(name, data, opts))
    return [opts.jobId]
  }
  const children = [spec(1), spec(2)].map(child => ({
    ...child, queueName: OWN, opts: { ...child.opts, ignoreDependencyOnFailure: true }
  }))
  const { name, data, opts: { jobId } } = spec(0)
  await untilAccepted(() => flows.add({ name, data, queueName: OWN, opts: { jobId }, children }))
  return [jobId, ...children.map(({ opts }) => opts.jobId)]
}

/** A connection that ends in the middle of a command rejects it; everything else waits for Redis. */
async function untilAccepted (add: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await add()
      return
    } catch (err) {
      if (attempt === 100) throw err
      await sleep(100)
    }
  }
}

async function command (rest: Rest, job: SentJob, name: 'cancel' | 'retry'): Promise<void> {
  const { id, queue } = job
  if (name === 'cancel') job.isCancelled = true
  else job.retries = (job.retries ?? 0) + 1
  await rest(`/jobs/${id}/${name}?queue=${queue}`, { method: 'POST', expected: COMMAND_STATUSES })
}
