import { createDatabase, startRedis, TEST_SECRET, until, type TestContext } from '@tidings/testing'
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

/**
 * The service as a test sees it: ready, not listening, closed with the test. It is ready before it has found Redis, so
 * that its first jobs could be left to the sweeper, behind later ones: here its connections are there.
 */
export async function startApp (t: TestContext, env: Environment) {
  const app = buildApp(loadConfig(env))
  t.teardown(() => app.close())
  await app.ready()
  await until(async () => await app.redis.ping() && await app.findQueue(app.queueNames[0]).count() >= 0, { what: 'Redis to be connected' })
  return app
}

/** Servers of its own and the service on them. */
export async function setup (t: TestContext, settings: Environment = {}) {
  const servers = await startServers(t)
  const app = await startApp(t, { ...servers.env, ...settings })
  return { ...servers, app }
}
