import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { startSystem, type System } from '@tidings/local'
import { temporaryFolder, type TestContext } from '@tidings/testing'

/** Its progress and result are such that JavaScript would write them differently: as another language's worker does. */
export const RAW_PROGRESS = '{"z":1.0,"10":12345678901234567890,"a":"\\u00e9"}'

/** With which tokens of the system are signed. */
export const SECRETS = {
  TOKEN_SECRET: 'signs access tokens in tests of the command line',
  REFRESH_TOKEN_SECRET: 'signs refresh tokens in tests of the command line'
}

interface JobData { steps?: number, fail?: string, raw?: boolean }

/** A whole system with a worker, gone with the test. Its jobs fail for the reason `fail`. */
export async function startWorkingSystem (t: TestContext, name: string): Promise<System> {
  const system = await startSystem({
    folder: temporaryFolder(t, name),
    ports: 'free',
    report: () => {},
    worker: false,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', ...SECRETS }
  })
  t.teardown(() => system.stop())
  const redis = system.endpoints.redis as string
  const redisClient = new Redis(redis)
  t.teardown(() => { redisClient.disconnect() })
  const worker = new Worker('default', async job => {
    const { steps = 1, fail, raw } = job.data as JobData
    for (let step = 1; step <= steps; step++) await job.updateProgress(Math.round(step / steps * 100))
    if (raw) {
      const entry = { event: 'progress', jobId: job.id as string, data: RAW_PROGRESS }
      await redisClient.xadd('bull:default:events', '*', ...Object.entries(entry).flat())
    }
    if (fail) throw new Error(fail)
    return { steps, 2: [0.1, 1e21, '😀'] }
  }, { connection: { url: redis }, concurrency: 4 })
  worker.on('error', () => {})
  t.teardown(() => worker.close(true))
  return system
}
