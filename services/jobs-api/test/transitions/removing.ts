import type { Transition } from './transition.ts'

const LATER = 600_000
const REMOVED = 'failed(Removed from the queue) = failed'
const done = async () => 'done'

export const removing: Transition[] = [
  {
    name: 'remove',
    queue: 'idle',
    expected: { job: `added waiting ${REMOVED}` },
    run: async ({ add, queue, published }) => {
      const job = await add()
      await published(job, 'added waiting')
      await queue.remove(job)
      return { job }
    }
  },
  {
    name: 'remove a finished job',
    queue: 'busy',
    expected: { job: 'added waiting active completed = completed' },
    run: async ({ add, process, queue, published }) => {
      process(done)
      const job = await add()
      await published(job, 'added waiting active completed')
      await queue.remove(job)
      return { job }
    }
  },
  {
    name: 'remove and add again',
    queue: 'idle',
    expected: { job: 'added delayed added delayed replaced = delayed' },
    run: async ({ add, queue, published }) => {
      const job = await add({ delay: LATER, jobId: 'by-hand' })
      await published(job, 'added delayed')
      await queue.remove(job)
      return { job: await add({ delay: LATER, jobId: 'by-hand' }) }
    }
  },
  {
    name: 'clean waiting jobs',
    queue: 'cleaned',
    expected: { job: `added waiting ${REMOVED}` },
    run: async ({ add, queue, published }) => {
      const job = await add()
      await published(job, 'added waiting')
      await queue.clean(0, 100, 'wait')
      return { job }
    }
  },
  {
    name: 'clean finished jobs',
    queue: 'cleaned-ended',
    expected: { job: 'added waiting active completed = completed' },
    run: async ({ add, queue, work, published }) => {
      await work(done)
      const job = await add()
      await published(job, 'added waiting active completed')
      await queue.clean(0, 100, 'completed')
      return { job }
    }
  },
  {
    name: 'drain',
    queue: 'drained',
    expected: { waiting: `added waiting ${REMOVED}`, delayed: `added delayed ${REMOVED}` },
    run: async ({ add, queue, published }) => {
      const [waiting, delayed] = [await add(), await add({ delay: LATER })]
      await published(waiting, 'added waiting')
      await published(delayed, 'added delayed')
      await queue.drain(true)
      return { waiting, delayed }
    }
  },
  {
    name: 'obliterate',
    queue: 'obliterated',
    expected: { job: `added waiting ${REMOVED}` },
    run: async ({ add, queue, published }) => {
      const job = await add({ jobId: 'obliterated' })
      await published(job, 'added waiting')
      await queue.obliterate({ force: true })
      return { job }
    }
  },
  {
    name: 'lose a job\'s hash (an eviction, removeOrphanedJobs)',
    queue: 'evicted',
    expected: { job: `added delayed ${REMOVED}` },
    run: async ({ add, queue, redis, published }) => {
      const job = await add({ delay: LATER })
      await published(job, 'added delayed')
      await redis.del(queue.toKey(job))
      return { job }
    }
  }
]
