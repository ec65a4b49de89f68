import t from 'tap'
import { startPostgres, until } from '@tidings/testing'
import { worker } from './bullmq.ts'
import { untilStates } from './job-rows.ts'
import { setup, startApp, startServers } from './setup.ts'
import { submit } from './submit.ts'
import { publishedEvents } from './published-events.ts'
import { createSql } from '@tidings/service-kit'
import type { Sql } from 'postgres'

t.test('without Redis the service is ready but degraded; afterwards relay and projector continue', async t => {
  const { app, redis, database } = await setup(t)
  await submit(app)
  await untilStates(database.sql, ['waiting'])
  await redis.stop()
  const answer = await until(async () => {
    const ready = await app.inject('/readyz')
    return ready.json<{ status: string }>().status === 'degraded' && ready
  })
  t.equal(answer.statusCode, 200)
  await redis.restart()
  worker(t, redis, async () => 'done')
  await untilStates(database.sql, ['completed'])
  await until(async () => (await app.inject('/readyz')).json().status === 'ok')
})

t.test('while Redis is frozen the service answers, and continues afterwards', async t => {
  const { app, redis, database } = await setup(t)
  await submit(app)
  await untilStates(database.sql, ['waiting'])
  redis.pause()
  await submit(app)
  t.equal((await app.inject('/readyz')).statusCode, 200)
  redis.resume()
  worker(t, redis, async () => 'done')
  await untilStates(database.sql, ['completed', 'completed'])
  t.equal((await publishedEvents(app.redis)).filter(({ type }) => type === 'completed').length, 2)
})

t.test('without Postgres the service is unready; afterwards it publishes and projects all events', async t => {
  const { redis, env } = await startServers(t)
  const postgres = await startPostgres(t)
  const app = await startApp(t, { ...env, DATABASE_URL: postgres.url })
  await submit(app)
  let ran = false
  await until(async () => (await publishedEvents(app.redis)).length === 2)
  await postgres.kill()
  await until(async () => (await app.inject('/readyz')).statusCode === 503)
  worker(t, redis, async () => { ran = true })
  await until(() => ran)
  await postgres.start()
  const sql = createSql(postgres.url, { max: 1 })
  t.teardown(() => sql.end())
  await untilStates(sql as unknown as Sql, ['completed'])
  t.same((await publishedEvents(app.redis)).map(({ type }) => type), ['added', 'waiting', 'active', 'completed'])
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
})
