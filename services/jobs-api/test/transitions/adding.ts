import type { Transition } from './transition.ts'

const LATER = 600_000

export const adding: Transition[] = [
  {
    name: 'add',
    queue: 'idle',
    expected: { job: 'added waiting = waiting' },
    run: async ({ add }) => ({ job: await add() })
  },
  {
    name: 'add, delayed',
    queue: 'idle',
    expected: { job: 'added delayed = delayed' },
    run: async ({ add }) => ({ job: await add({ delay: LATER }) })
  },
  {
    name: 'add, prioritized',
    queue: 'idle',
    expected: { job: 'added waiting = waiting' },
    run: async ({ add }) => ({ job: await add({ priority: 5 }) })
  },
  {
    name: 'add in bulk',
    queue: 'idle',
    expected: { first: 'added waiting = waiting', second: 'added delayed = delayed' },
    run: async ({ queue }) => {
      const [first, second] = await queue.addBulk([
        { name: 'bulk', data: { userId: 1 } },
        { name: 'bulk', data: { userId: 1 }, opts: { delay: LATER } }
      ])
      return { first: first?.id as string, second: second?.id as string }
    }
  },
  {
    name: 'add a flow',
    queue: 'idle',
    expected: { parent: 'added waiting = waiting', child: 'added waiting = waiting' },
    run: async ({ flow, queue }) => {
      const { job, children } = await flow.add({
        name: 'flow',
        queueName: queue.name,
        data: { userId: 1 },
        children: [
          { name: 'flow', queueName: queue.name, data: { userId: 1 } }
        ]
      })
      return { parent: job.id as string, child: children?.[0]?.job.id as string }
    }
  },
  {
    name: 'add under the id of a job that is there',
    queue: 'idle',
    expected: { job: 'added waiting = waiting' },
    run: async ({ add }) => {
      await add({ jobId: 'the-same' })
      return { job: await add({ jobId: 'the-same' }) }
    }
  },
  {
    name: 'add again under the id of a job that ended and was removed',
    queue: 'busy',
    expected: { job: 'added waiting active completed added waiting active completed = completed, completed' },
    run: async ({ add, process, published, seen }) => {
      process(async job => await seen(job.id as string))
      await add({ jobId: 'again', removeOnComplete: true })
      await published('again', 'added waiting active completed')
      return { job: await add({ jobId: 'again' }) }
    }
  },
  {
    name: 'deduplicate, simple',
    queue: 'idle',
    expected: { job: 'added waiting = waiting' },
    run: async ({ add }) => {
      const job = await add({ deduplication: { id: 'simple' } })
      await add({ deduplication: { id: 'simple' } })
      return { job }
    }
  },
  {
    name: 'deduplicate, throttle',
    queue: 'idle',
    expected: { job: 'added waiting = waiting' },
    run: async ({ add }) => {
      const job = await add({ deduplication: { id: 'throttle', ttl: LATER } })
      await add({ deduplication: { id: 'throttle', ttl: LATER, extend: true } })
      return { job }
    }
  },
  {
    name: 'deduplicate, replace (debounce)',
    queue: 'idle',
    expected: { first: 'added delayed replaced = gone', second: 'added delayed = delayed' },
    run: async ({ add, published }) => {
      const deduplication = { id: 'debounce', ttl: LATER, extend: true, replace: true }
      const first = await add({ delay: LATER, deduplication })
      await published(first, 'added delayed')
      return { first, second: await add({ delay: LATER, deduplication }) }
    }
  },
  {
    name: 'deduplicate, reschedule',
    queue: 'idle',
    notInPython: 'its scripts do not know it',
    expected: { job: 'added delayed delayed = delayed' },
    run: async ({ add }) => {
      const job = await add({ delay: LATER, deduplication: { id: 'reschedule' } })
      await add({ delay: 2 * LATER, deduplication: { id: 'reschedule', reschedule: true } })
      return { job }
    }
  },
  {
    name: 'deduplicate, keepLastIfActive',
    queue: 'busy',
    expected: {
      first: 'added waiting active completed = completed', last: 'added waiting active completed = completed'
    },
    run: async ({ add, process, published }) => {
      const deduplication = { id: 'keep-last', keepLastIfActive: true }
      const more = Promise.withResolvers<void>()
      process(async () => await more.promise)
      const first = await add({ jobId: 'keep-first', deduplication })
      await published(first, 'added waiting active')
      await add({ jobId: 'keep-middle', deduplication })
      await add({ jobId: 'keep-last', deduplication })
      more.resolve()
      return { first, last: 'keep-last' }
    }
  },
  {
    name: 'remove the key of a deduplication',
    queue: 'idle',
    notInPython: 'it has no removeDeduplicationKey',
    expected: { first: 'added waiting = waiting', second: 'added waiting = waiting' },
    run: async ({ add, queue }) => {
      const first = await add({ deduplication: { id: 'key' } })
      await queue.removeDeduplicationKey('key')
      return { first, second: await add({ deduplication: { id: 'key' } }) }
    }
  }
]
