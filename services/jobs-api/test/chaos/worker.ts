import { setTimeout as sleep } from 'node:timers/promises'
import { UnrecoverableError, Worker, type Job } from 'bullmq'
import { Redis } from 'ioredis'
import { cancelKey } from '@tidings/contracts'
import type { ChaosJob } from './load.ts'

// A worker process as in production, which does what its jobs request; SIGTERM lets it finish its jobs.
const { REDIS_URL = '', CONCURRENCY = '50' } = process.env
const STEPS = 3
const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null })
const stragglers: Promise<void>[] = []

async function perform (job: Job<ChaosJob>): Promise<unknown> {
  const { kind, pause, obeys } = job.data
  for (let step = 0; step < STEPS; step++) {
    await sleep(pause)
    if (obeys && await redis.get(cancelKey(job.queueName, job.id as string)) === String(job.timestamp)) {
      throw new UnrecoverableError('Cancelled by user')
    }
    await job.updateProgress(step === 1 ? { step } : step)
  }
  if (kind === 'stalls' && job.stalledCounter === 0) await letGo(job)
  if (kind === 'fails') throw new UnrecoverableError('fails')
  if (kind === 'retries' && job.attemptsMade === 0) throw new Error('once')
  if (kind === 'late') stragglers.push(speakLate(job))
  return { of: job.id, attempt: job.attemptsMade }
}

/** Like a process that hangs: its lock expires, another worker takes the job, and then it continues. */
async function letGo (job: Job): Promise<void> {
  await redis.del(`bull:${job.queueName}:${job.id}:lock`)
  await sleep(1500)
}

/** Updates progress after the job has finished. */
async function speakLate (job: Job): Promise<void> {
  await sleep(20)
  await job.updateProgress('late')
}

const worker = new Worker<ChaosJob>('default', perform, {
  connection: redis, concurrency: Number(CONCURRENCY), lockDuration: 2000, stalledInterval: 500, maxStalledCount: 20
})
worker.on('error', () => {}) // its lock belongs to another worker by now, as chaos intends

async function finish () {
  await worker.close()
  await Promise.allSettled(stragglers)
  redis.disconnect()
}

process.once('SIGTERM', () => { finish().catch(err => { throw err }) })
