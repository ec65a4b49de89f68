import type { Transition } from './transition.ts'

const LATER = 600_000
const done = async () => 'done'
const fail = async () => { throw new Error('no luck') }

export const changing: Transition[] = [
  {
    name: 'promote',
    queue: 'idle',
    expected: { job: 'added delayed waiting = waiting' },
    run: async ({ add, queue }) => {
      const job = await add({ delay: LATER })
      await (await queue.getJob(job))?.promote()
      return { job }
    }
  },
  {
    name: 'promote all',
    queue: 'promoted',
    expected: { job: 'added delayed waiting = waiting' },
    run: async ({ add, queue }) => {
      const job = await add({ delay: LATER })
      await queue.promoteJobs()
      return { job }
    }
  },
  {
    name: 'become due',
    queue: 'busy',
    expected: { job: 'added delayed waiting active completed = completed' },
    run: async ({ add, process }) => {
      process(done)
      return { job: await add({ delay: 100 }) }
    }
  },
  {
    name: 'change the delay',
    queue: 'idle',
    notInPython: 'it has no changeDelay',
    expected: { job: 'added delayed delayed = delayed' },
    run: async ({ add, queue }) => {
      const job = await add({ delay: LATER })
      await (await queue.getJob(job))?.changeDelay(2 * LATER)
      return { job }
    }
  },
  {
    name: 'change the priority',
    queue: 'idle',
    expected: { job: 'added waiting = waiting' },
    run: async ({ add, queue }) => {
      const job = await add()
      await (await queue.getJob(job))?.changePriority({ priority: 3 })
      return { job }
    }
  },
  {
    name: 'retry a failed job',
    queue: 'busy',
    expected: { job: 'added waiting active failed(no luck) reopened active completed = completed' },
    run: async ({ add, process, queue, published }) => {
      process(fail)
      const job = await add()
      await published(job, 'added waiting active failed(no luck)')
      process(done)
      await (await queue.getJob(job))?.retry()
      return { job }
    }
  },
  {
    name: 'retry a completed job',
    queue: 'busy',
    expected: { job: 'added waiting active completed reopened active completed = completed' },
    run: async ({ add, process, queue, published }) => {
      process(done)
      const job = await add()
      await published(job, 'added waiting active completed')
      await (await queue.getJob(job))?.retry('completed')
      return { job }
    }
  },
  {
    name: 'retry all failed jobs',
    queue: 'retried',
    expected: { job: 'added waiting active failed(no luck) reopened active completed = completed' },
    run: async ({ add, work, queue, published }) => {
      let runs = 0
      await work(async () => await (++runs === 1 ? fail() : done()))
      const job = await add()
      await published(job, 'added waiting active failed(no luck)')
      await queue.retryJobs()
      return { job }
    }
  },
  {
    name: 'pause and resume',
    queue: 'paused',
    expected: { job: 'added waiting active completed = completed' },
    run: async ({ add, work, queue }) => {
      await queue.pause()
      await work(done)
      const job = await add()
      await queue.resume()
      return { job }
    }
  }
]
