import t from 'tap'
import { startPostgres, startRedis, TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { setup, startApp } from '../setup.ts'

const headers = { authorization: `Bearer ${tokenOf(1)}` }

t.test('while Postgres is away', async t => {
  const [postgres, redis] = await Promise.all([startPostgres(t), startRedis(t)])
  const app = await startApp(t, {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    TOKEN_SECRET: TEST_SECRET,
    LOG_LEVEL: 'silent',
    NODE_ENV: 'test',
    HANDLER_TIMEOUT_MS: '1000',
    REQUESTS_MAX: '2'
  })
  const list = async () => await app.inject({ url: '/jobs', headers })
  const get = async () => await app.inject({ url: '/jobs/x', headers })
  const submit = async () => await app.inject({ method: 'POST', url: '/submit-job', headers, payload: { name: 'x' } })

  await t.test('without a reply, requests end in time, and more than the limit are refused at once', async t => {
    postgres.pause()
    const held = [list(), list()]
    const refused = await get()
    t.equal(refused.json().type, 'urn:tidings:problem:overloaded')
    for (const answer of [refused, ...await Promise.all(held)]) {
      t.equal(answer.statusCode, 503)
      t.ok(answer.headers['retry-after'])
    }
    t.match((await app.inject('/metrics')).body, /tidings_requests_shed_total 1/)
    for (const answer of await Promise.all([get(), submit()])) t.equal(answer.statusCode, 503, 'a read of one job too')
    postgres.resume()
    await until(async () => (await list()).statusCode === 200)
  })

  await t.test('and unreachable, requests that need it are a 503 with Retry-After', async t => {
    await postgres.stop()
    for (const answer of [await list(), await get(), await submit()]) {
      t.equal(answer.statusCode, 503)
      t.ok(answer.headers['retry-after'])
      t.match(answer.headers['content-type'], 'problem+json')
    }
    t.equal((await app.inject('/readyz')).statusCode, 503)
    t.equal((await app.inject('/livez')).statusCode, 200)
  })

  await t.test('and back, requests succeed again', async t => {
    await postgres.start()
    await until(async () => (await list()).statusCode === 200)
    const accepted = await until(async () => {
      const answer = await submit()
      return answer.statusCode === 202 && answer
    })
    t.match(accepted.json(), { name: 'x', state: 'waiting' })
    await until(async () => (await app.inject('/readyz')).statusCode === 200)
  })
})

t.test('while Redis is away everything except commands works, without rate limits', async t => {
  const { app, redis } = await setup(t, { RATE_LIMIT_MAX: '3' })
  const list = async () => await app.inject({ url: '/jobs', headers })

  const refused = await until(async () => {
    const answer = await list()
    return answer.statusCode === 429 && answer
  })
  t.match(refused.headers, { 'retry-after': /^\d+$/, 'ratelimit-limit': '3', 'ratelimit-remaining': '0' })
  t.equal(
    (await app.inject({ url: '/jobs', headers: { authorization: `Bearer ${tokenOf(2)}` } })).statusCode, 200,
    'another user has a limit of its own'
  )

  await redis.stop()
  for (let i = 0; i < 5; i++) t.equal((await list()).statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: '/submit-job', headers, payload: { name: 'x' } })).statusCode, 202)
  t.match((await app.inject('/readyz')).json(), { status: 'degraded' })
})

t.test('a Postgres that refuses writes is a 503 without its error code', async t => {
  const { app, database: { sql, url } } = await setup(t)
  const submit = async () => await app.inject({ method: 'POST', url: '/submit-job', headers, payload: { name: 'x' } })
  t.equal((await submit()).statusCode, 202)
  const name = new URL(url).pathname.slice(1)
  await sql`alter database ${sql(name)} set default_transaction_read_only = on`
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and pid <> pg_backend_pid()`
  const refused = await until(async () => {
    const answer = await submit()
    return answer.statusCode !== 202 && answer
  })
  t.match([refused.statusCode, refused.headers['retry-after']], [503, /^\d+$/])
  t.notMatch(refused.body, /25006|read-only/)
  await until(async () => (await app.inject({ url: '/jobs', headers })).statusCode === 200)
})
