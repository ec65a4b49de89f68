import { setTimeout as sleep } from 'node:timers/promises'
import { UnrecoverableError, Worker, type Job } from 'bullmq'
import { Redis } from 'ioredis'
import { cancelKey } from '@tidings/contracts'
import type { ChaosJob } from './load.ts'

// A worker process, as other people's are, that does what its jobs say; SIGTERM lets it finish what it has.
const { REDIS_URL = '', CONCURRENCY = '50' } = process.env
const STEPS = 3
const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null })
const stragglers: Promise<void>[] = []

async function perform (job: Job<ChaosJob>): Promise<unknown> {
  const { kind, pause, obeys } = job.data
  for (let step = 0; step < STEPS; step++) {
    await sleep(pause)
    if (obeys && await redis.get(cancelKey(job.queueName, job.id as string)) === String(job.timestamp)) throw new UnrecoverableError('Cancelled by user')
    await job.updateProgress(step === 1 ? { step } : step)
  }
  if (kind === 'stalls' && job.stalledCounter === 0) await letGo(job)
  if (kind === 'fails') throw new UnrecoverableError('fails')
  if (kind === 'retries' && job.attemptsMade === 0) throw new Error('once')
  if (kind === 'late') stragglers.push(speakLate(job))
  return { of: job.id, attempt: job.attemptsMade }
}

/** As a process that hangs: its lock ends, another worker takes the job, and then it comes back. */
async function letGo (job: Job): Promise<void> {
  await redis.del(`bull:${job.queueName}:${job.id}:lock`)
  await sleep(1500)
}

/** Tells progress when the job is finished. */
async function speakLate (job: Job): Promise<void> {
  await sleep(20)
  await job.updateProgress('late')
}

const worker = new Worker<ChaosJob>('default', perform, {
  connection: redis, concurrency: Number(CONCURRENCY), lockDuration: 2000, stalledInterval: 500, maxStalledCount: 20
})
worker.on('error', () => {}) // a lock that is another's by now: what chaos is about

async function finish () {
  await worker.close()
  await Promise.allSettled(stragglers)
  redis.disconnect()
}

process.once('SIGTERM', () => { finish().catch(err => { throw err }) })
