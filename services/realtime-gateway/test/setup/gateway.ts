import type { AddressInfo } from 'node:net'
import { startRedis, TEST_SECRET, until, type TestContext, type TestRedis } from '@tidings/testing'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { startJobs, type Jobs } from './jobs.ts'

export type Gateway = Awaited<ReturnType<typeof startGateway>>

/** Redis, a stand-in of jobs-api, and the stream, as a gateway finds them. */
export async function startSurroundings (t: TestContext): Promise<{ redis: TestRedis, jobs: Jobs }> {
  const redis = await startRedis(t)
  const jobs = await startJobs(t, redis)
  return { redis, jobs }
}

/** A gateway that listens; gone with the test. */
export async function startGateway (t: TestContext, { redis, jobs }: { redis: TestRedis, jobs: Jobs }, env: Record<string, string> = {}) {
  const app = buildApp(loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'fatal',
    TOKEN_SECRET: TEST_SECRET,
    REDIS_URL: redis.url,
    JOBS_API_URL: jobs.url,
    REALTIME_GATEWAY_PORT: '0',
    REALTIME_DRAIN_MS: '500',
    ...env
  }))
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  await until(async () => (await app.inject('/readyz')).json().status === 'ok', { what: 'the gateway to be ready' })
  const { port } = app.server.address() as AddressInfo
  const internal = app.internal?.server.address() as AddressInfo | undefined
  return { app, port, url: `http://127.0.0.1:${port}`, internalUrl: `http://127.0.0.1:${internal?.port}` }
}
