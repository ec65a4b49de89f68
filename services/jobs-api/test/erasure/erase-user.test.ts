import { randomUUID } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import t from 'tap'
import {
  ERASURES_KEY, erasureStatusKey, REVOCATIONS_KEY, signRefreshToken, userHistoryKey, type Erasure
} from '@tidings/contracts'
import { TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { setup, startApp } from '../setup.ts'
import { submit } from '../submit.ts'

const sign = createSigner({ key: TEST_SECRET, algorithm: 'HS256' })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const operator = bearer(sign({ userId: 'op', scope: 'operator:write' }))

const TABLES = ['jobs', 'counts', 'idempotency_keys', 'refresh_families', 'replaced', 'erasures']

t.test('all data of a user is erased, in every state, and none of other users', async t => {
  const { app, redis, database, env } = await setup(t, {
    JOB_QUEUES: 'default,idle', ERASURE_INTERVAL_MS: '50', ERASURE_QUIET_MS: '500'
  })
  const client = redis.client()
  const left = async (userId: string) => Object.fromEntries(await Promise.all(TABLES.map(async table => {
    const [row] = await database.sql<{ count: number }[]>`
      select count(*)::int as count from ${database.sql(`jobs.${table}`)} where user_id = ${userId}`
    return [table, row?.count]
  })))

  const stops = new Map<string, () => void>()
  worker(t, redis, async job => {
    if (job.name === 'long') await new Promise<void>(resolve => stops.set(job.id as string, resolve))
    if (job.name === 'bad') throw new Error('secret of seven')
    if (job.name === 'large') await job.updateProgress({ secret: 's'.repeat(100_000) })
    return 'x'.repeat(job.name === 'large' ? 100_000 : 10)
  }, { concurrency: 10 })

  const ids: string[] = []
  for (const user of [7, 8]) {
    for (const name of ['done', 'bad', 'large', 'long']) ids.push(await submit(app, { user, name }))
    ids.push(await submit(app, { user, delay: 3_600_000 }), await submit(app, { user, queue: 'idle' }))
    await producer(t, redis, 'idle').add('adopted', { userId: user })
    await app.inject({
      method: 'POST',
      url: '/submit-job',
      headers: { ...bearer(tokenOf(user)), 'idempotency-key': 'k' },
      payload: { name: 'done' }
    })
    const refreshToken = signRefreshToken({
      userId: String(user), secret: env.REFRESH_TOKEN_SECRET as string, expiresInMs: 60_000
    })
    t.equal((await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refreshToken } })).statusCode, 200)
  }
  await until(
    async () => stops.size === 2 && (await app.inject({
      url: '/jobs?status=completed', headers: bearer(tokenOf(7))
    })).json<{ jobs: unknown[] }>().jobs.length === 3
  )
  await until(
    async () => (await app.inject({ url: '/jobs/counts', headers: bearer(tokenOf(7)) })).json<{
      waiting: number
    }>().waiting === 2
  )

  await database.sql`
    insert into jobs.bad_items (consumer, queue, item, job_id, reason)
    select consumer, queue, id, id, 'Unexpected token in: secret of ' || user_id from jobs.jobs, unnest(array['relay', 'projector']) as consumer`

  t.equal(
    (await app.inject({ method: 'DELETE', url: '/users/7', headers: bearer(tokenOf(7)) })).statusCode, 403,
    'needs an operator'
  )
  t.match((await app.inject({ method: 'DELETE', url: '/users/7', headers: bearer(tokenOf(7)) })).json(), {
    type: 'urn:tidings:problem:insufficient-scope'
  })
  t.equal((await app.inject({ method: 'DELETE', url: '/users/7' })).statusCode, 401)

  const asked = await app.inject({ method: 'DELETE', url: '/users/7', headers: operator })
  t.equal(asked.statusCode, 202)
  const { erasureId } = asked.json<Erasure>()
  t.equal(asked.headers.location, `/users/7/erasures/${erasureId}`)
  t.equal(
    (await app.inject({ method: 'DELETE', url: '/users/7', headers: operator })).json<Erasure>().erasureId, erasureId,
    'a repeated request returns the pending erasure'
  )
  t.ok(Number(await client.hget(REVOCATIONS_KEY, '7')) > 0)
  const status = async () => (
    await app.inject({ url: `/users/7/erasures/${erasureId}`, headers: operator })
  ).json<Erasure>()

  await until(async () => (await left('7')).jobs === 1, { what: 'all jobs except the active one to be removed' })
  t.equal((await status()).services['jobs-api'], null, 'not finished while a worker has a job of the user')
  for (const stop of stops.values()) stop()
  await until(async () => (await status()).services['jobs-api'] !== null)
  t.same(await left('7'), { jobs: 0, counts: 0, idempotency_keys: 0, refresh_families: 0, replaced: 0, erasures: 1 })
  t.equal(await client.exists(userHistoryKey('7')), 0)
  for (const queue of ['default', 'idle']) {
    const jobs = await app.findQueue(queue).getJobs()
    t.ok(jobs.length > 0 && jobs.every(job => job.data.userId === 8), `BullMQ's own data of queue ${queue}`)
  }
  t.match(await database.sql`select length(result::text) > 100000 as result, length(progress::text) > 100000 as progress from jobs.results`,
    [{ result: true, progress: true }], 'the large values of the other user')
  const skipped = await database.sql<{ reason: string }[]>`select distinct reason from jobs.bad_items`
  t.same(skipped.map(({ reason }) => reason), ['Unexpected token in: secret of 8'], 'the bad items of the other user')

  t.equal((await status()).state, 'pending', 'the dispatcher has not reported')
  t.equal(await client.hget(ERASURES_KEY, erasureId), '7')
  await client.hset(erasureStatusKey(erasureId), 'webhook-dispatcher', Date.now())
  await until(async () => (await status()).state === 'done')
  t.equal(await client.hexists(ERASURES_KEY, erasureId), 0)
  t.same(
    await left('7'), { jobs: 0, counts: 0, idempotency_keys: 0, refresh_families: 0, replaced: 0, erasures: 0 },
    'and the erasure has no user id any more'
  )

  t.equal(
    (await app.inject({ url: '/jobs/counts', headers: bearer(tokenOf(8)) })).json<{ waiting: number }>().waiting, 2
  )
  t.equal((await left('8')).refresh_families, 1)
  t.equal((await app.inject({ url: `/users/7/erasures/${randomUUID()}`, headers: operator })).statusCode, 404)
  t.equal((await app.inject({ url: `/users/7/erasures/${erasureId}`, headers: bearer(tokenOf(8)) })).statusCode, 403)
})

t.test('an erasure continues after a restart, although Redis has lost it', async t => {
  const { app, redis, env } = await setup(t, { ERASURE_INTERVAL_MS: '3600000' })
  await submit(app, { user: 7 })
  const { erasureId } = (await app.inject({ method: 'DELETE', url: '/users/7', headers: operator })).json<Erasure>()
  await app.close()
  await redis.client().flushall()

  const again = await startApp(t, {
    ...env, ERASURE_INTERVAL_MS: '50', ERASURE_QUIET_MS: '100', SWEEP_AGE_MS: '100', SWEEP_INTERVAL_MS: '100'
  })
  await until(async () => await redis.client().hget(ERASURES_KEY, erasureId) === '7')
  await until(
    async () => (
      await again.inject({ url: `/users/7/erasures/${erasureId}`, headers: operator })
    ).json<Erasure>().services['jobs-api'] !== null
  )
})

t.test('the job of a scheduler, or of a queue that is not relayed any more, does not block an erasure', async t => {
  const { app, redis, database } = await setup(t, { ERASURE_INTERVAL_MS: '50', ERASURE_QUIET_MS: '100' })
  await producer(t, redis, 'default').upsertJobScheduler('nightly', { every: 3_600_000 }, {
    name: 'nightly', data: { userId: 7 }
  })
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, generation_ms) values ('former', '1', '7', 'x', 1, 1)`
  await database.sql`insert into jobs.counts values ('7', 0, 1) on conflict (user_id, state) do update set count = counts.count + 1`
  const counts = async () => (await app.inject({ url: '/jobs/counts', headers: bearer(tokenOf(7)) })).json<{
    waiting: number, delayed: number
  }>()
  await until(async () => await counts().then(({ waiting, delayed }) => waiting + delayed === 2))

  const { erasureId } = (await app.inject({ method: 'DELETE', url: '/users/7', headers: operator })).json<Erasure>()
  await until(
    async () => (
      await app.inject({ url: `/users/7/erasures/${erasureId}`, headers: operator })
    ).json<Erasure>().services['jobs-api'] !== null
  )
  const [left] = await database.sql`select count(*)::int as count from jobs.jobs where user_id = '7'`
  t.equal(left?.count, 0)
  t.equal((await app.findQueue('default').getJobSchedulers()).length, 1, 'the scheduler stays')
})
