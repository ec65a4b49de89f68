import { createStreamWriter, START, ZERO } from '@tidings/job-events'
import type { JobEvent } from '@tidings/contracts'
import type { Random } from './random.ts'
import { redisClient, type SimulatedRedis } from './redis-client.ts'

export const QUEUE = 'default'

/** A process that appends batches of events to the stream, each once, whatever is cut. */
export function startPublisher (redis: SimulatedRedis, batches: JobEvent[][]) {
  const { simulation, store } = redis
  let isDone = false
  simulation.spawn('publisher', async process => {
    const stream = createStreamWriter(redisClient(redis, process))
    for (let n = 0; n < batches.length;) {
      try {
        const minimumId = store.published.at(-1)?.id ?? ZERO
        await stream.open(minimumId)
        const from = await stream.position(QUEUE)
        const to = { ...START, at: `${n + 1}-0` }
        if (from.at === to.at) n++ // it was appended, but the reply was lost
        else if ((await stream.append({ queue: QUEUE, from, to, events: batches[n] ?? [], minimumId })).moved) n++
      } catch {
        // The connection was cut: it starts over with the position.
      }
    }
    isDone = true
  })
  return { get isDone () { return isDone } }
}

/** The lives of some jobs, mixed at random and in batches; `users` own them in turn. */
export function livesOfJobs (random: Random, { users, jobs }: { users: string[], jobs: number }): JobEvent[][] {
  const lives = Array.from({ length: jobs }, (_, n) =>
    lifeOf(random, { jobId: String(n), userId: users[n % users.length] as string }))
  const batches: JobEvent[][] = [[]]
  for (let open = lives; open.length > 0; open = lives.filter(({ length }) => length > 0)) {
    if (random.chance(0.4)) batches.push([])
    batches.at(-1)?.push(random.pick(open).shift() as JobEvent)
  }
  return batches
}

function lifeOf (random: Random, job: { jobId: string, userId: string }): JobEvent[] {
  const event = (type: JobEvent['type'], more: Partial<JobEvent> = {}): JobEvent =>
    ({ v: 1, type, queue: QUEUE, name: 'j', timestamp: 0, ...job, ...more })
  const progress = Array.from({ length: random.below(3) }, (_, n) => event('progress', { progress: `${n}` as never }))
  const run = [event('active'), ...progress]
  return [
    event('added'), event('waiting'), ...run,
    ...random.chance(0.7)
      ? [event('completed')]
      : [event('failed', { error: 'e' }), event('waiting', { reopened: true }), event('active'), event('completed')]
  ]
}
