import { createDatabase, startPostgres, startRedis, until } from '@tidings/testing'
import t from 'tap'
import { setup } from './setup.ts'

const hook = { url: 'https://example.com/hook', eventType: 'all' }

t.test('a user over the rate limit waits; others don\'t', async t => {
  const { call } = await setup(t, { RATE_LIMIT_MAX: '3' })
  const refused = await until(async () => {
    const answer = await call('/webhooks', { user: 'eager' })
    return answer.status === 429 && answer
  })
  t.match(refused.headers, { 'content-type': /problem\+json/, 'retry-after': /^\d+$/ })
  t.equal((await call('/webhooks', { user: 'calm' })).status, 200)
})

t.test('without Redis webhooks are managed all the same, and no rate is limited', async t => {
  const { call, redis } = await setup(t, { RATE_LIMIT_MAX: '3' })
  await redis.stop()
  const created = await call('/webhooks', { method: 'POST', body: hook })
  t.equal(created.status, 201)
  for (let i = 0; i < 5; i++) t.equal((await call(`/webhooks/${created.body.id}`)).status, 200)
})

t.test('without Postgres the answer is 503 with Retry-After, and again 200 when it is back', async t => {
  const [postgres, redis] = await Promise.all([startPostgres(t), startRedis(t)])
  const { call, app } = await setup(t, { DATABASE_URL: postgres.url, REDIS_URL: redis.url })
  await until(async () => (await app.inject('/readyz')).json().status === 'ok')
  await postgres.stop()
  const { status, headers } = await until(async () => {
    const answer = await call('/webhooks')
    return answer.status !== 200 && answer
  })
  t.match([status, headers['retry-after']], [503, /^\d+$/])
  const unready = await app.inject('/readyz')
  t.match([unready.statusCode, unready.json()], [503, { status: 'unready', faults: { postgres: String } }])
  await postgres.start()
  await until(async () => (await call('/webhooks')).status === 200)
  t.pass('without a restart')
})

t.test('a Postgres that does not answer is a 503 in time, and holds up no metrics', async t => {
  const [postgres, redis] = await Promise.all([startPostgres(t), startRedis(t)])
  const { app, call } = await setup(t, { DATABASE_URL: postgres.url, REDIS_URL: redis.url, HANDLER_TIMEOUT_MS: '3000' })
  postgres.pause()
  const metrics = await app.inject('/metrics')
  t.equal(metrics.statusCode, 200)
  for (const name of [
    'webhook_fan_out_lag_seconds', 'webhook_oldest_due_seconds', 'partitions{table="webhooks.events"}'
  ]) {
    t.ok(metrics.body.toLowerCase().includes(`\ntidings_${name} nan\n`), name)
  }
  const { status, headers } = await call('/webhooks')
  t.match([status, headers['retry-after']], [503, /^\d+$/])
  postgres.resume()
  await until(async () => (await call('/webhooks')).status === 200)
})

t.test('a Postgres that takes no writes is a 503 without its code', async t => {
  const { url, sql } = await createDatabase(t)
  const { call } = await setup(t, { DATABASE_URL: url })
  t.equal((await call('/webhooks', { method: 'POST', body: hook })).status, 201)
  const name = new URL(url).pathname.slice(1)
  await sql`alter database ${sql(name)} set default_transaction_read_only = on`
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and pid <> pg_backend_pid()`
  const { status, headers, body } = await until(async () => {
    const answer = await call('/webhooks', { method: 'POST', body: hook })
    return answer.status !== 201 && answer
  })
  t.match([status, headers['retry-after']], [503, /^\d+$/])
  t.notMatch(JSON.stringify(body), /25006|read-only/)
  await until(async () => (await call('/webhooks')).status === 200)
})

t.test('a rate limit of 0 is none', async t => {
  const { call } = await setup(t, { RATE_LIMIT_MAX: '0' })
  for (let i = 0; i < 20; i++) t.equal((await call('/webhooks')).status, 200)
})
