import type { Queue } from 'bullmq'
import type { Transition } from './transition.ts'

const HOUR = 3_600_000
const template = { data: { userId: 1 } }
const later = () => Date.now() + HOUR
const idOf = async (job: ReturnType<Queue['upsertJobScheduler']>) => (await job)?.id as string

export const scheduling: Transition[] = [
  {
    name: 'upsert a job scheduler',
    queue: 'idle',
    expected: { job: 'added delayed = delayed' },
    run: async ({ queue }) => ({
      job: await idOf(queue.upsertJobScheduler('once', { every: HOUR, startDate: later() }, template))
    })
  },
  {
    name: 'upsert a job scheduler again',
    queue: 'idle',
    // Two incarnations of one id: the first is replaced, the second stays.
    expected: { job: 'added delayed added delayed replaced = delayed' },
    run: async ({ queue, published }) => {
      const schedule = { every: HOUR, startDate: later() }
      const job = await idOf(queue.upsertJobScheduler('twice', schedule, template))
      await published(job, 'added delayed')
      return { job: await idOf(queue.upsertJobScheduler('twice', schedule, template)) }
    }
  },
  {
    name: 'upsert a job scheduler with another schedule',
    queue: 'idle',
    expected: { first: 'added delayed replaced = gone', second: 'added delayed = delayed' },
    run: async ({ queue, published }) => {
      const first = await idOf(queue.upsertJobScheduler('other', { every: HOUR, startDate: later() }, template))
      await published(first, 'added delayed')
      return { first, second: await idOf(queue.upsertJobScheduler('other', { pattern: '0 0 1 1 *' }, template)) }
    }
  },
  {
    name: 'a scheduler\'s next iteration',
    queue: 'busy',
    expected: { first: 'added waiting active completed = completed', second: 'added delayed = delayed' },
    run: async ({ queue, process, published }) => {
      process(async () => 'done', 'iterate')
      const first = await idOf(queue.upsertJobScheduler('iterate', { every: HOUR }, { ...template, name: 'iterate' }))
      await published(first, 'added waiting active completed')
      const { next } = await queue.getJobScheduler('iterate') as { next: number }
      return { first, second: `repeat:iterate:${next}` }
    }
  },
  {
    name: 'remove a job scheduler',
    queue: 'idle',
    expected: { job: 'added delayed failed(Removed from the queue) = failed' },
    run: async ({ queue, published }) => {
      const job = await idOf(queue.upsertJobScheduler('removed', { every: HOUR, startDate: later() }, template))
      await published(job, 'added delayed')
      await queue.removeJobScheduler('removed')
      return { job }
    }
  },
  {
    name: 'remove a job scheduler and upsert it again',
    queue: 'idle',
    expected: { first: 'added delayed replaced = gone', second: 'added delayed = delayed' },
    run: async ({ queue, published }) => {
      const first = await idOf(queue.upsertJobScheduler('re-created', { every: HOUR, startDate: later() }, template))
      await published(first, 'added delayed')
      await queue.removeJobScheduler('re-created')
      return {
        first,
        second: await idOf(queue.upsertJobScheduler('re-created', { every: HOUR, startDate: later() + HOUR }, template))
      }
    }
  }
]
