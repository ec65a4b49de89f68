import { setTimeout as sleep } from 'node:timers/promises'
import { UnrecoverableError, Worker, type Job } from 'bullmq'
import { cancelKey } from '@tidings/contracts'
import { redisClient } from '../system/redis-client.ts'
import type { ChaosJob } from './job-kinds.ts'

// A worker process as in production, which does what its jobs ask for; SIGTERM lets it finish its jobs.
const { REDIS_URL = '', PREFIX = 'bull', QUEUES = 'default' } = process.env
const STEPS = 3
const LARGE = 'x'.repeat(70 * 1024)
const redis = redisClient(REDIS_URL)
const stragglers: Promise<void>[] = []

async function perform (job: Job<ChaosJob>): Promise<unknown> {
  const { kind, pauseMs, obeys } = job.data
  for (let step = 0; step < STEPS; step++) {
    await sleep(pauseMs)
    if (obeys && await redis.get(cancelKey(job.queueName, job.id as string)) === String(job.timestamp)) {
      throw new UnrecoverableError('Cancelled by user')
    }
    await job.updateProgress(step === 1 ? { step, of: job.name } : step * 50)
  }
  switch (kind) {
    case 'fails': throw new UnrecoverableError(`fails: ${job.name}`)
    case 'retries': if (job.attemptsMade === 0) throw new Error('once'); break
    case 'stalls': if (job.stalledCounter === 0) await letGo(job); break
    case 'late': stragglers.push(reportLate(job)); break
    case 'large': return { text: LARGE }
    default:
  }
  return { of: job.id, attempt: job.attemptsMade }
}

/** As a process that hangs: its lock expires, another worker takes the job, and then it continues. */
async function letGo (job: Job): Promise<void> {
  await redis.del(`${PREFIX}:${job.queueName}:${job.id}:lock`)
  await sleep(1500)
}

/** Updates progress after the job has finished. */
async function reportLate (job: Job): Promise<void> {
  await sleep(20)
  await job.updateProgress('late').catch(() => {}) // removed meanwhile
}

const workers = QUEUES.split(',').map(queue => {
  const worker = new Worker<ChaosJob>(queue, perform, {
    connection: redis, prefix: PREFIX, concurrency: 50, lockDuration: 4000, stalledInterval: 1000, maxStalledCount: 100
  })
  worker.on('error', () => {}) // Redis is away, or the lock belongs to another worker by now
  return worker
})

async function finish () {
  await Promise.all(workers.map(async worker => await worker.close()))
  await Promise.allSettled(stragglers)
  redis.disconnect()
}

process.once('SIGTERM', () => { finish().catch(err => { throw err }) })
