import { createRequire } from 'node:module'
import type { Job, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { loadLua } from '@tidings/service-kit'

const CHANGED = -99
/** BullMQ's results: the job is gone; it is not among the failed ones. */
const MISSING = -1
const NOT_FAILED = -3

/** BullMQ's own script, as this version of it has it. */
const { reprocessJob } = createRequire(import.meta.url)('bullmq/dist/cjs/scripts/reprocessJob-9.js') as {
  reprocessJob: { content: string, keys: number }
}

type Commands = { tidingsRetryIfUnchanged (...keysAndArguments: string[]): Promise<number> }

/** Identifies a run of a job that has ended: another run has another time or number. */
export function runOf ({ finishedOn, attemptsStarted }: Pick<Job, 'finishedOn' | 'attemptsStarted'>): string {
  return `${finishedOn ?? ''}:${attemptsStarted}`
}

/**
 * Retries a failed job as `job.retry` does, but in the same step compares the run that failed: done twice, or done
 * after the job has run and failed again, it does nothing. Returns whether it has retried the job.
 */
export async function retryIfUnchanged (redis: Redis, queue: Queue, job: Job, run: string): Promise<boolean> {
  const key = (name: string) => queue.toKey(name)
  const keys = [job.id as string, 'events', 'failed', 'wait', 'meta', 'active', 'marker', 'prioritized', 'pc'].map(key)
  const push = job.opts.lifo ? 'RPUSH' : 'LPUSH'
  const result = await withScript(redis)
    .tidingsRetryIfUnchanged(...keys, job.id as string, push, 'failedReason', 'failed', '0', '0', run)
  if (result === 1) return true
  if (result === CHANGED || result === MISSING || result === NOT_FAILED) return false
  throw new Error(`BullMQ's reprocessJob returned ${result}`)
}

function withScript (redis: Redis): Redis & Commands {
  if (!('tidingsRetryIfUnchanged' in redis)) {
    const lua = `${loadLua('retry-if-unchanged', import.meta.url)}\n${reprocessJob.content}`
    redis.defineCommand('tidingsRetryIfUnchanged', { numberOfKeys: reprocessJob.keys, lua })
  }
  return redis as Redis & Commands
}
