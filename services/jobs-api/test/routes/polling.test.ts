import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { tokenOf, until } from '@tidings/testing'
import { setup } from '../setup.ts'
import { worker } from '../bullmq.ts'
import { submit } from '../submit.ts'

/** The number of long polls that wait. */
async function activePolls (app: FastifyInstance): Promise<number> {
  return Number(/^tidings_long_polls_active (\d+)/m.exec((await app.inject('/metrics')).body)?.[1])
}

/** Submits a job of user 1; returns its id once the row has its first event. */
async function submitProjected (app: FastifyInstance): Promise<string> {
  const jobId = await submit(app, { user: 1 })
  await until(async () => (await app.inject({ url: `/jobs/${jobId}`, headers: bearer(1) })).json().lastEventId !== null)
  return jobId
}

const bearer = (user: string | number) => ({ authorization: `Bearer ${tokenOf(user)}` })

t.test('a polled job', async t => {
  const { app, redis } = await setup(t, { LONG_POLLS_PER_USER: '3' })
  const get = async (url: string, headers = {}) => await app.inject({ url, headers: { ...bearer(1), ...headers } })
  const gates = new Map<string, () => void>()
  worker(t, redis, async job => {
    await job.updateProgress(50)
    if (job.name === 'gated') await new Promise<void>(resolve => gates.set(job.id as string, resolve))
    return { done: job.name }
  }, { concurrency: 10 })

  await t.test('is returned as completed', async t => {
    const jobId = await submit(app, { user: 1, name: 'quick' })
    const job = await until(async () => {
      const job = (await get(`/jobs/${jobId}`)).json()
      return job.state === 'completed' && job
    })
    t.match(job, { progress: 50, result: { done: 'quick' }, attempts: { made: 1, max: 1 }, lastEventId: /^\d+-\d+$/ })
    t.ok(job.timestamp.finished >= job.timestamp.started)

    await t.test('and has a timeline', async t => {
      const { events } = (await get(`/jobs/${jobId}/events?after=${job.lastEventId}`)).json()
      t.same(events.map(({ type, state }: { type: string, state: string }) => `${type} ${state}`), [
        'added waiting', 'waiting waiting', 'active active', 'completed completed'
      ])
      t.equal(events.at(-1).eventId, job.lastEventId)
      t.equal((await app.inject({ url: `/jobs/${jobId}/events`, headers: bearer(2) })).statusCode, 404)
    })

    await t.test('and is not sent again while it is unchanged', async t => {
      const { headers: { etag } } = await get(`/jobs/${jobId}`)
      t.equal(etag, `"${job.lastEventId}"`)
      for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const answer = await get(`/jobs/${jobId}`, { 'if-none-match': tag })
        t.equal(answer.statusCode, 304, String(tag))
        t.equal(answer.body, '')
        t.equal(answer.headers.etag, etag)
      }
      t.equal((await get(`/jobs/${jobId}`, { 'if-none-match': '"1-0"' })).statusCode, 200)
      const head = await app.inject({
        method: 'HEAD', url: `/jobs/${jobId}`, headers: { ...bearer(1), 'if-none-match': String(etag) }
      })
      t.equal(head.statusCode, 304)
      t.equal(head.headers['content-length'], undefined, 'nor with the size of nothing')
    })
  })

  await t.test('is returned once it changes, with ?wait', async t => {
    const jobId = await submit(app, { user: 1, name: 'gated' })
    await until(() => gates.has(jobId))
    await until(async () => (await get(`/jobs/${jobId}`)).json().progress === 50)
    const held = get(`/jobs/${jobId}?wait=30`)
    gates.get(jobId)?.()
    t.match((await held).json(), { state: 'completed' })
  })

  await t.test('is returned at once if it is finished, unless the client has that version', async t => {
    const jobId = await submit(app, { user: 1, name: 'quick' })
    await until(async () => (await get(`/jobs/${jobId}`)).json().state === 'completed')
    const answer = await get(`/jobs/${jobId}?wait=30`)
    t.equal(answer.json().state, 'completed')
    const known = await get(`/jobs/${jobId}?wait=1`, { 'if-none-match': answer.headers.etag })
    t.equal(known.statusCode, 304)
  })

  await t.test('is returned unchanged when the wait is over', async t => {
    const jobId = await submit(app, { user: 1, name: 'gated' })
    await until(async () => gates.has(jobId) && (await get(`/jobs/${jobId}`)).json().progress === 50)
    t.match((await get(`/jobs/${jobId}?wait=1`)).json(), { state: 'active', progress: 50 })
    gates.get(jobId)?.()
  })

  await t.test('is limited to so many long polls of a user, which become free again', async t => {
    const jobId = await submit(app, { user: 1, name: 'gated' })
    await until(async () => gates.has(jobId) && (await get(`/jobs/${jobId}`)).json().progress === 50)
    const held = [1, 2, 3].map(async () => await get(`/jobs/${jobId}?wait=30`))
    await until(async () => await activePolls(app) === 3)
    t.equal((await get(`/jobs/${jobId}?wait=30`)).statusCode, 429)
    gates.get(jobId)?.()
    for (const answer of await Promise.all(held)) t.equal(answer.json().state, 'completed')
    t.equal((await get(`/jobs/${jobId}?wait=1`)).statusCode, 200)
  })

  await t.test('is never older than the event that the client names', async t => {
    for (let i = 0; i < 20; i++) {
      const jobId = await submit(app, { user: 1, name: 'quick' })
      const last = await until(async () => {
        const entries = await redis.client().xrevrange('{tidings}:job-events', '+', '-', 'COUNT', 50)
        return entries.find(([, fields]) => fields[3]?.includes(jobId) && fields[3].includes('"completed"'))?.[0]
      })
      t.equal((await get(`/jobs/${jobId}?after=${last}`)).json().state, 'completed')
      t.ok(
        (await get(`/jobs?status=completed&after=${last}`)).json().jobs.some(({ id }: { id: string }) => id === jobId)
      )
    }
  })

  await t.test('and an event of the future, or an invalid id, is refused', async t => {
    for (const after of ['9999999999999-0', 'nonsense', '5']) {
      for (const url of ['/jobs/x', '/jobs', '/jobs/counts', '/jobs/x/events']) {
        const answer = await get(`${url}?after=${after}`)
        t.equal(answer.statusCode, 400, `${url} ${after}`)
        t.equal(answer.json().errors[0].path, 'querystring.after')
      }
    }
  })
})

t.test('an event that is not projected in time is a 503, not a stale response', async t => {
  const { app, redis } = await setup(t)
  await until(async () => (await app.inject({ url: '/jobs', headers: bearer(1) })).statusCode === 200)
  await redis.stop()
  const answer = await app.inject({ url: '/jobs?after=9999999999999-0', headers: bearer(1) })
  t.equal(answer.statusCode, 503)
  t.ok(answer.headers['retry-after'])
})

t.test('long polls', async t => {
  await t.test('end when the service closes, and do not delay it', async t => {
    const { app } = await setup(t)
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const jobId = await submitProjected(app)
    const held = fetch(`${address}/jobs/${jobId}?wait=30`, { headers: bearer(1) })
    await until(async () => await activePolls(app) === 1)
    const began = Date.now()
    await app.close()
    t.ok(Date.now() - began < 15_000)
    t.match(await (await held).json(), { id: jobId })
  })

  await t.test('are limited in total', async t => {
    const { app } = await setup(t, { LONG_POLLS_MAX: '1' })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const [one, other] = [await submit(app, { user: 1 }), await submit(app, { user: 2 })]
    const client = new AbortController()
    const held = fetch(`${address}/jobs/${one}?wait=30`, {
      headers: { ...bearer(1), 'if-none-match': '*' }, signal: client.signal
    })
    await until(async () => await activePolls(app) === 1)
    const refused = await app.inject({ url: `/jobs/${other}?wait=30`, headers: bearer(2) })
    t.equal(refused.statusCode, 503)
    t.ok(refused.headers['retry-after'])
    t.equal(
      (await app.inject({ url: `/jobs/${other}`, headers: bearer(2) })).statusCode, 200,
      'a request without wait is answered'
    )
    client.abort()
    await t.rejects(held)
  })

  await t.test('end with their client, and free their slot', async t => {
    const { app } = await setup(t, { LONG_POLLS_PER_USER: '1' })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const jobId = await submitProjected(app)
    const client = new AbortController()
    const held = fetch(`${address}/jobs/${jobId}?wait=30`, { headers: bearer(1), signal: client.signal })
    await until(async () => await activePolls(app) === 1)
    client.abort()
    await t.rejects(held)
    await until(async () => await activePolls(app) === 0)
  })
})
