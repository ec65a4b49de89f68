import { createDatabase, startRedis, TEST_SECRET, type TestContext } from '@tidings/testing'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'

type Environment = Record<string, string>
type TestRedisOptions = Parameters<typeof startRedis>[1]

/** A database and a Redis of the test's own, and the variables that point to them. */
export async function startServers (t: TestContext, redisOptions: TestRedisOptions = {}) {
  const [database, redis] = await Promise.all([createDatabase(t), startRedis(t, redisOptions)])
  const env: Environment = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    TOKEN_SECRET: TEST_SECRET,
    REFRESH_TOKEN_SECRET: `${TEST_SECRET}, refreshed`,
    LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
    NODE_ENV: 'test'
  }
  return { database, redis, env }
}

/** The service as a test sees it: ready, not listening, closed with the test. */
export async function startApp (t: TestContext, env: Environment) {
  const app = buildApp(loadConfig(env))
  t.teardown(() => app.close())
  await app.ready()
  return app
}

/** Servers of its own and the service on them. */
export async function setup (t: TestContext, settings: Environment = {}) {
  const servers = await startServers(t)
  const app = await startApp(t, { ...servers.env, ...settings })
  return { ...servers, app }
}
