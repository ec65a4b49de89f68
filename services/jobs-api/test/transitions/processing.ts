import {
  DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError, type Job, type Processor
} from 'bullmq'
import type { Transition } from './transition.ts'

const done = async () => 'done'
const fail = async () => { throw new Error('no luck') }

/** Runs a function at a job's first attempt; completes it at the next. */
function first (act: Processor): Processor {
  const seen = new Set<string | undefined>()
  return async (job, token, signal) => {
    if (seen.has(job.id)) return 'done'
    seen.add(job.id)
    return await act(job, token, signal)
  }
}

async function stepDelayed (job: Job, token?: string) {
  await job.moveToDelayed(Date.now() + 50, token)
  throw new DelayedError()
}

async function putBack (job: Job, token?: string) {
  await job.moveToWait(token)
  throw new WaitingError()
}

export const processing: Transition[] = [
  {
    name: 'complete',
    queue: 'busy',
    expected: { job: 'added waiting active completed = completed' },
    run: async ({ add, process }) => {
      process(done)
      return { job: await add() }
    }
  },
  {
    name: 'complete and be removed at once',
    queue: 'busy',
    expected: { job: 'added waiting active completed = completed' },
    run: async ({ add, process, seen }) => {
      process(async job => await seen(job.id as string))
      return { job: await add({ removeOnComplete: true }) }
    }
  },
  {
    name: 'be removed by the number of those that ended later',
    queue: 'trimmed',
    expected: {
      first: 'added waiting active completed = completed', second: 'added waiting active completed = completed'
    },
    run: async ({ add, work, published }) => {
      await work(done, { removeOnComplete: { count: 1 } })
      const first = await add()
      await published(first, 'added waiting active completed')
      return { first, second: await add() }
    }
  },
  {
    name: 'fail',
    queue: 'busy',
    expected: { job: 'added waiting active failed(no luck) = failed' },
    run: async ({ add, process }) => {
      process(fail)
      return { job: await add() }
    }
  },
  {
    name: 'fail and be removed at once',
    queue: 'busy',
    expected: { job: 'added waiting active failed(no luck) = failed' },
    run: async ({ add, process, seen }) => {
      process(async job => {
        await seen(job.id as string)
        return await fail()
      })
      return { job: await add({ removeOnFail: true }) }
    }
  },
  {
    name: 'fail for good while attempts are left',
    queue: 'busy',
    expected: { job: 'added waiting active failed(no way) = failed' },
    run: async ({ add, process }) => {
      process(async () => { throw new UnrecoverableError('no way') })
      return { job: await add({ attempts: 3 }) }
    }
  },
  {
    name: 'be tried again at once',
    queue: 'busy',
    expected: { job: 'added waiting active waiting active completed = completed' },
    run: async ({ add, process }) => {
      process(first(fail))
      return { job: await add({ attempts: 2 }) }
    }
  },
  {
    name: 'be tried again after a while',
    queue: 'busy',
    expected: { job: 'added waiting active delayed waiting active completed = completed' },
    run: async ({ add, process }) => {
      process(first(fail))
      return { job: await add({ attempts: 2, backoff: 50 }) }
    }
  },
  {
    name: 'be delayed by its worker (a step)',
    queue: 'busy',
    expected: { job: 'added waiting active delayed waiting active completed = completed' },
    run: async ({ add, process }) => {
      process(first(stepDelayed))
      return { job: await add() }
    }
  },
  {
    name: 'be put back by its worker',
    queue: 'busy',
    expected: { job: 'added waiting active waiting active completed = completed' },
    notInPython: 'it has no moveToWait',
    run: async ({ add, process }) => {
      process(first(putBack))
      return { job: await add() }
    }
  },
  {
    name: 'wait for children that its worker added',
    queue: 'busy',
    expected: {
      parent: 'added waiting active waiting waiting active completed = completed',
      child: 'added delayed waiting active completed = completed'
    },
    run: async ({ add, process, queue, published }) => {
      process(done, 'step-child')
      process(first(async (job, token) => {
        await queue.add('step-child', { userId: 1 }, {
          jobId: 'step-child', delay: 500, parent: { id: job.id as string, queue: job.queueQualifiedName }
        })
        if (await job.moveToWaitingChildren(token as string)) throw new WaitingChildrenError()
        return 'done'
      }))
      const parent = await add()
      await published(parent, 'added waiting active waiting waiting active completed')
      return { parent, child: 'step-child' }
    }
  },
  {
    name: 'be rate limited by its worker',
    queue: 'limited',
    expected: { job: 'added waiting active waiting active completed = completed' },
    notInPython: 'its worker has no error for this',
    run: async ({ add, work, queue }) => {
      await work(first(async () => {
        await queue.rateLimit(100)
        throw new RateLimitError()
      }), { limiter: { max: 100, duration: 1000 } })
      return { job: await add() }
    }
  },
  {
    name: 'stall, and be taken by another worker',
    queue: 'stalled',
    expected: { job: 'added waiting active waiting active completed = completed' },
    run: async ({ add, work, published }) => {
      await work(async () => await new Promise(() => {}), {
        lockDuration: 200, lockRenewTime: 600_000, skipStalledCheck: true
      })
      const job = await add()
      await published(job, 'added waiting active')
      await work(done, { stalledInterval: 300 })
      return { job }
    }
  },
  {
    name: 'stall too often',
    queue: 'stalled-often',
    expected: { job: 'added waiting active waiting active failed(job stalled more than allowable limit) = failed' },
    run: async ({ add, work, published }) => {
      await work(async () => await new Promise(() => {}), {
        lockDuration: 200, lockRenewTime: 600_000, skipStalledCheck: true
      })
      const job = await add()
      await published(job, 'added waiting active')
      await work(done, { stalledInterval: 300, maxStalledCount: 0 })
      return { job }
    }
  },
  {
    name: 'report progress',
    queue: 'busy',
    expected: {
      job: 'added waiting active progress(1) progress({"step":2}) progress("half") progress(null) completed = completed'
    },
    run: async ({ add, process }) => {
      process(async job => {
        for (const progress of [1, { step: 2 }, 'half', null]) await job.updateProgress(progress as number)
      })
      return { job: await add() }
    }
  },
  {
    name: 'report progress after the end',
    queue: 'busy',
    expected: { job: 'added waiting active completed = completed' },
    run: async ({ add, process, queue, published }) => {
      process(done)
      const job = await add()
      await published(job, 'added waiting active completed')
      await (await queue.getJob(job))?.updateProgress(99)
      return { job }
    }
  },
  {
    name: 'write a log, and change the data',
    queue: 'idle',
    expected: { job: 'added waiting = waiting' },
    run: async ({ add, queue }) => {
      const id = await add()
      const job = await queue.getJob(id)
      await job?.log('a line')
      await job?.updateData({ userId: 2 })
      return { job: id }
    }
  }
]
