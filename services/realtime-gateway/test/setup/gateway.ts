import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  freePort, spawnService, startRedis, TEST_SECRET, until, type TestContext, type TestRedis
} from '@tidings/testing'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { startFakeJobsApi, type Jobs } from './fake-jobs-api.ts'

type App = ReturnType<typeof buildApp>
type Environment = Record<string, string>
type Surroundings = { redis: TestRedis, jobs: Jobs }

export type Gateway = Awaited<ReturnType<typeof startGateway>>

/** The dependencies of a gateway: Redis, the stream, and a fake jobs-api. */
export async function startSurroundings (t: TestContext): Promise<Surroundings> {
  const redis = await startRedis(t)
  const jobs = await startFakeJobsApi(t, redis)
  return { redis, jobs }
}

const environment = ({ redis, jobs }: Surroundings) => ({
  NODE_ENV: 'test',
  LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'fatal',
  TOKEN_SECRET: TEST_SECRET,
  REDIS_URL: redis.url,
  JOBS_API_URL: jobs.url,
  REALTIME_DRAIN_MS: '500'
})

/** A gateway as a process of its own. `entry` is its program, by default the service's own. */
export async function startReplica (
  t: TestContext, surroundings: Surroundings, env: Environment = {}, entry = '../../src/server.ts'
) {
  const port = Number(env.REALTIME_GATEWAY_PORT ?? await freePort())
  const url = `http://127.0.0.1:${port}`
  const process = await spawnService(t, {
    entry: fileURLToPath(new URL(entry, import.meta.url)),
    env: { ...environment(surroundings), REALTIME_GATEWAY_PORT: String(port), ...env },
    readyUrl: `${url}/readyz`
  })
  return { url, process }
}

/** A gateway that listens, and is closed after the test. `prepare` registers plugins of the test. */
export async function startGateway (
  t: TestContext, surroundings: Surroundings, env: Environment = {}, prepare?: (app: App) => unknown
) {
  const app = buildApp(loadConfig({ ...environment(surroundings), REALTIME_GATEWAY_PORT: '0', ...env }))
  prepare?.(app)
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  await until(async () => (await app.inject('/readyz')).json().status === 'ok', { what: 'the gateway to be ready' })
  const { port } = app.server.address() as AddressInfo
  const internal = app.internal?.server.address() as AddressInfo | undefined
  return { app, port, url: `http://127.0.0.1:${port}`, internalUrl: `http://127.0.0.1:${internal?.port}` }
}
