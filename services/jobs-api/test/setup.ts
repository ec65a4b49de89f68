import { createDatabase, startRedis, TEST_SECRET, until, type TestContext } from '@tidings/testing'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'

type Environment = Record<string, string>
type TestRedisOptions = Parameters<typeof startRedis>[1]

/** Starts a database and a Redis for one test, and returns the variables for them. */
export async function startServers (t: TestContext, redisOptions: TestRedisOptions = {}) {
  const [database, redis] = await Promise.all([createDatabase(t), startRedis(t, redisOptions)])
  const env: Environment = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    TOKEN_SECRET: TEST_SECRET,
    REFRESH_TOKEN_SECRET: `${TEST_SECRET}, refreshed`,
    LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
    EVENT_LOOP_DELAY_MAX_MS: '0', // a busy machine is late for reasons of its own
    NODE_ENV: 'test'
  }
  return { database, redis, env }
}

/**
 * Starts the service for a test: ready, not listening, closed with the test. It would be ready before Redis is
 * connected, and leave its first jobs to the outbox, behind later ones: this waits for the connections.
 */
export async function startApp (t: TestContext, env: Environment) {
  const app = buildApp(loadConfig(env))
  t.teardown(() => app.close())
  await app.ready()
  await until(async () => await app.redis.ping() && await app.findQueue(app.queueNames[0]).count() >= 0, {
    what: 'Redis to be connected'
  })
  return app
}

/** Starts servers and the service for one test. */
export async function setup (t: TestContext, settings: Environment = {}) {
  const servers = await startServers(t)
  const app = await startApp(t, { ...servers.env, ...settings })
  return { ...servers, app }
}
