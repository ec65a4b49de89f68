import { connect, type Socket } from 'node:net'
import t from 'tap'
import { tokenOf, until, type TestContext } from '@tidings/testing'
import { producer } from '../bullmq.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'

type App = Awaited<ReturnType<typeof setup>>['app']

const bearer = (user: string | number) => ({ authorization: `Bearer ${tokenOf(user)}` })

const submitBatch = async (app: App, count: number, { user = 7, headers = {}, ...fields }: Record<string, unknown> & {
  user?: number, headers?: object
} = {}) =>
  await app.inject({
    method: 'POST',
    url: '/submit-jobs',
    headers: { ...bearer(user), ...headers },
    payload: { jobs: Array.from({ length: count }, () => ({ name: 'work', ...fields })) }
  })

t.test('a user\'s open jobs are limited, and the refusal lists them by state', async t => {
  const { app } = await setup(t, { JOBS_OPEN_MAX_PER_USER: '5' })
  await submit(app, { delay: 3_600_000 })
  t.equal((await submitBatch(app, 4)).statusCode, 202)
  t.equal((await submitBatch(app, 5, { user: 8 })).statusCode, 202, 'each user has a limit of its own')

  const refused = await submitBatch(app, 1, { headers: { 'idempotency-key': 'k' } })
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers['retry-after'], '30')
  t.match(refused.json(), {
    type: 'urn:tidings:problem:too-many-open-jobs',
    detail: /^5 jobs are open \(4 waiting, 1 delayed, 0 active\); 1 more would exceed the 5/
  })

  const [job] = (await app.inject({ url: '/jobs?status=delayed', headers: bearer(7) })).json<{
    jobs: { id: string }[]
  }>().jobs
  await app.inject({ method: 'POST', url: `/jobs/${job?.id}/cancel`, headers: bearer(7) })
  await until(
    async () => (await app.inject({ url: '/jobs/counts', headers: bearer(7) })).json<{
      delayed: number
    }>().delayed === 0
  )
  const accepted = await submitBatch(app, 1, { headers: { 'idempotency-key': 'k' } })
  t.equal(accepted.statusCode, 202, 'a refused request does not use up its Idempotency-Key')
  const again = await submitBatch(app, 1, { headers: { 'idempotency-key': 'k' } })
  t.same(
    [again.statusCode, again.json()], [202, accepted.json()],
    'and a repeated request is answered although the limit is reached'
  )
  t.equal((await submitBatch(app, 1, { headers: { 'idempotency-key': 'k' }, priority: 3 })).statusCode, 409)
})

t.test('without a limit any number of jobs is accepted', async t => {
  const { app } = await setup(t, { JOBS_OPEN_MAX_PER_USER: '0' })
  t.equal((await submitBatch(app, 1000)).statusCode, 202)
})

t.test('a batch counts its number of jobs for the rate limit', async t => {
  const { app } = await setup(t, { RATE_LIMIT_MAX: '100' })
  t.equal((await submitBatch(app, 60)).statusCode, 202)
  const refused = await submitBatch(app, 60)
  t.equal(refused.statusCode, 429)
  t.ok(Number(refused.headers['retry-after']) >= 1)
  t.equal((await app.inject({ url: '/jobs', headers: bearer(7) })).statusCode, 429, 'and what it cost counts')
  t.equal((await app.inject({ url: '/jobs', headers: bearer(8) })).statusCode, 200, 'for its user alone')
})

t.test('slow bodies do not count as requests in progress', async t => {
  const { app } = await setup(t, { REQUESTS_MAX: '3', BODIES_PER_USER: '4' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }

  for (let i = 0; i < 20; i++) await beginBody(t, port, '/auth/refresh')
  for (let i = 0; i < 4; i++) await beginBody(t, port, '/submit-jobs', bearer(7))
  t.equal((await app.inject({ url: '/jobs', headers: bearer(8) })).statusCode, 200)

  await t.test('and those of one user are limited', async t => {
    await until(
      async () => (
        await app.inject({ method: 'POST', url: '/submit-job', headers: bearer(7), payload: { name: 'a' } })
      ).statusCode === 429
    )
    t.equal(
      (await app.inject({ url: '/jobs', headers: bearer(7) })).statusCode, 200,
      'a request without a body is not affected'
    )
    t.equal(
      (await app.inject({ method: 'POST', url: '/submit-job', headers: bearer(8), payload: { name: 'a' } })).statusCode,
      202
    )
  })

  await t.test('until they have ended', async () => {
    for (const socket of slow) socket.destroy()
    await until(
      async () => (
        await app.inject({ method: 'POST', url: '/submit-job', headers: bearer(7), payload: { name: 'a' } })
      ).statusCode === 202
    )
  })
})

t.test('a refresh token is short, and so is the body of an unauthenticated request', async t => {
  const { app } = await setup(t)
  const answer = await app.inject({
    method: 'POST', url: '/auth/refresh', payload: { refreshToken: 'x'.repeat(20_000) }
  })
  t.equal(answer.statusCode, 413)
})

t.test('a job of another user with the same id and of the same millisecond is not affected', async t => {
  const { app, redis, database } = await setup(t, { JOB_QUEUES: 'idle' })
  const queue = producer(t, redis, 'idle')
  const own = await queue.add('own', { userId: 7 }, { jobId: 'shared', timestamp: Date.now() })
  await until(async () => (await app.inject({ url: '/jobs/shared', headers: bearer(7) })).statusCode === 200)
  await own.remove()
  await queue.add('theirs', { userId: 8 }, { jobId: 'shared', timestamp: own.timestamp })
  const command = async (name: string) => await app.inject({
    method: 'POST', url: `/jobs/shared/${name}`, headers: bearer(7)
  })

  await command('cancel')
  t.match(await queue.getJob('shared'), { name: 'theirs', data: { userId: 8 } }, 'not removed')
  await database.sql`update jobs.jobs set state = 4, finished_ms = 1 where id = 'shared' and user_id = '7'`
  t.match((await command('retry')).statusCode, 409)

  const worker = await queue.add('owner dropped', { userId: 7 }, { jobId: 'dropped' })
  await until(async () => (await app.inject({ url: '/jobs/dropped', headers: bearer(7) })).statusCode === 200)
  await worker.updateData({ step: 2 })
  t.equal((await app.inject({ method: 'POST', url: '/jobs/dropped/cancel', headers: bearer(7) })).statusCode, 202)
  t.equal(
    await queue.getJob('dropped'), undefined,
    'a worker that overwrote the data does not put a job out of its owner\'s reach'
  )
})

t.test('the job whose id is `counts` is found by its queue', async t => {
  const { app, redis } = await setup(t, { JOB_QUEUES: 'idle' })
  await producer(t, redis, 'idle').add('counted', { userId: 7 }, { jobId: 'counts' })
  const get = async (url: string, user = 7) => await app.inject({ url, headers: bearer(user) })
  await until(async () => (await get('/jobs/counts?queue=idle')).statusCode === 200)
  t.match((await get('/jobs/counts?queue=idle')).json(), { id: 'counts', name: 'counted', state: 'waiting' })
  t.equal((await get('/jobs/counts?queue=idle', 8)).statusCode, 404)
  t.match((await get('/jobs/counts')).json(), { waiting: 1, failed: 0 })
  t.equal((await get('/jobs/counts/events')).statusCode, 200)
})

const slow: Socket[] = []

/** Sends the head of a request and the start of its body, and no more. */
async function beginBody (
  t: TestContext, port: number, path: string, headers: Record<string, string> = {}
): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  slow.push(socket)
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  const lines = Object.entries({
    host: 'a', 'content-type': 'application/json', 'content-length': '1000', ...headers
  }).map(([name, value]) => `${name}: ${value}`)
  await new Promise<void>(
    resolve => { socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{`, () => resolve()) }
  )
}
