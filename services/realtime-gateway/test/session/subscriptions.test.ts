import t from 'tap'
import { tokenOf, until, type TestContext } from '@tidings/testing'
import type { Client } from '../setup/client.ts'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const { url } = await startGateway(t, surroundings)

let users = 0
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const progressOf = (client: Client, event: string) => client.of(event).map(({ progress }) => progress)

// The transports that take commands. The stream of one job is the third way to subscribe to it.
const transports = {
  'socket.io': { connect: connect['socket.io'], name: (jobId: string) => `job:${jobId}:progress` },
  websocket: { connect: connect.websocket, name: (jobId: string) => `job:${jobId}:progress` }
}

for (const [kind, { connect: join, name }] of Object.entries(transports)) {
  t.test(kind, async t => {
    const newJob = () => ({ userId: `${kind}-${++users}`, jobId: `job-${users}` })

    t.test('the answer shows the job at its position, and each later event comes once', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' }, { ...job, progress: 0 })
      const client = await join(t, url, { token: tokenOf(job.userId) })
      const asking = client.command('subscribe:job', job.jobId)
      const publishing = upTo(50).map(i => jobs.publish({ ...job, progress: i + 1 }))
      const ack = await asking
      await Promise.all(publishing)
      await client.waitFor('job:progress', 50)
      t.match(ack, { ok: true, recovered: false, lastEventId: /-/, job: { id: job.jobId, state: 'active' } })
      const { progress: shown } = ack.job as { progress: number }
      await until(() => progressOf(client, name(job.jobId)).at(-1) === 50)
      t.same(progressOf(client, name(job.jobId)), upTo(50 - shown).map(i => shown + i + 1), `all after ${shown}`)
    })

    t.test('a subscription with lastEventId receives the missed events of the job, once and in order', async t => {
      const job = newJob()
      const other = { ...job, jobId: `${job.jobId}-other`, name: job.jobId }
      await jobs.publish({ ...job, type: 'active' })
      const [lastEventId] = await jobs.publish({ ...job, progress: 0 })
      await jobs.publish(...upTo(100).flatMap(i => [{ ...job, progress: i + 1 }, { ...other, progress: i }]))
      const client = await join(t, url, { token: tokenOf(job.userId) })
      const asking = client.command('subscribe:job', { jobId: job.jobId, lastEventId })
      const publishing = upTo(20).map(i => jobs.publish({ ...job, progress: 101 + i }))
      t.match(await asking, { ok: true, recovered: true })
      await Promise.all(publishing)
      await until(() => progressOf(client, name(job.jobId)).length >= 120)
      t.same(progressOf(client, name(job.jobId)), upTo(120).map(i => i + 1))
    })

    t.test('a subscription from a position beyond the history is not recovered, and shows the job', async t => {
      const job = newJob()
      const [lastEventId] = await jobs.publish({ ...job, progress: 0 })
      await jobs.publish(...upTo(1300).map(i => ({ ...job, progress: i })))
      const client = await join(t, url, { token: tokenOf(job.userId) })
      t.match(
        await client.command('subscribe:job', { jobId: job.jobId, lastEventId }),
        { ok: true, recovered: false, job: { progress: 1299 } }
      )
      await jobs.publish({ ...job, progress: 'live' })
      await until(() => progressOf(client, name(job.jobId)).at(-1) === 'live')
      t.same(progressOf(client, name(job.jobId)), ['live'])
    })

    t.test('a repeated subscription goes on as before, with a new snapshot', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, url, { token: tokenOf(job.userId) })
      await client.command('subscribe:job', job.jobId)
      await jobs.publish({ ...job, progress: 1 })
      await client.waitFor(name(job.jobId))
      t.match(await client.command('subscribe:job', job.jobId), { ok: true, job: { progress: 1 } })
      await jobs.publish({ ...job, progress: 2 })
      await client.waitFor(name(job.jobId), 2)
      t.same(progressOf(client, name(job.jobId)), [1, 2])
    })

    t.test('a client that unsubscribes before the answer is not subscribed', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, url, { token: tokenOf(job.userId) })
      const answers = await Promise.all(
        [client.command('subscribe:job', job.jobId), client.command('unsubscribe:job', job.jobId)]
      )
      t.same(answers.map(({ ok }) => ok), [false, true])
    })

    t.test('another user\'s job and an unknown one are not found, and send no events', async t => {
      const [job, own] = [newJob(), newJob()]
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, url, { token: tokenOf(own.userId) })
      t.match(await client.command('subscribe:job', job.jobId), { ok: false, error: 'not found' })
      t.match(await client.command('subscribe:job', 'no such job'), { ok: false, error: 'not found' })
      await jobs.publish({ ...job, progress: 1 }, { ...own, progress: 1 })
      await client.waitFor('job:progress')
      t.same(client.received.map(({ event }) => event), ['session', 'job:progress'])
    })

    t.test('while jobs-api is down a subscription is unavailable and the session goes on', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, url, { token: tokenOf(job.userId) })
      await jobs.receiver.stop()
      t.match(await client.command('subscribe:job', job.jobId), { ok: false, error: 'unavailable' })
      await jobs.publish({ ...job, progress: 1 })
      await client.waitFor('job:progress')
      await jobs.receiver.start()
      t.match(await client.command('subscribe:job', job.jobId), { ok: true })
    })

    t.test('unknown commands and invalid input are refused', async t => {
      const client = await join(t, url, { token: tokenOf(newJob().userId) })
      for (const input of [
        { id: 'x' }, 7.5, 2 ** 53, true, [], ['x'], {}, '', null, { jobId: 'x', lastEventId: 'nonsense' },
        { jobId: ['x'] }, 'a\nb', 'x'.repeat(257)
      ]) {
        t.match(await client.command('subscribe:job', input), { ok: false, error: 'invalid', detail: /a job id/ })
      }
      t.match(await client.command('constructor', 'x'), { ok: false, error: 'unknown command' })
    })
  })
}

t.test('GET /jobs/:jobId/stream', async t => {
  const newJob = () => ({ userId: `stream-${++users}`, jobId: `job-${users}` })
  const join = (t: TestContext, job: { userId: string, jobId: string }, lastEventId?: string) =>
    connect.sse(t, url, { token: tokenOf(job.userId), job: job.jobId, lastEventId })

  t.test('sends the job, then its events and no others', async t => {
    const job = newJob()
    await jobs.publish({ ...job, type: 'active' }, { ...job, progress: 1 })
    const client = await join(t, job)
    await client.waitFor('job')
    await jobs.publish(
      { ...job, jobId: 'other', progress: 1 }, { ...job, progress: 2 }, { ...job, type: 'completed', result: 'done' }
    )
    await client.waitFor('job:completed')
    t.match(client.received, [
      { event: 'session', data: { userId: job.userId, recovered: false } },
      { event: 'job', data: { id: job.jobId, progress: 1 } },
      { event: 'job:progress', data: { progress: 2 } },
      { event: 'job:completed', data: { result: 'done' } }
    ])
    t.equal(client.received.length, 4)
  })

  t.test('resumes from Last-Event-ID', async t => {
    const job = newJob()
    const [lastEventId] = await jobs.publish({ ...job, progress: 0 })
    await jobs.publish(...upTo(300).map(i => ({ ...job, progress: i + 1 })))
    const client = await join(t, job, lastEventId)
    await jobs.publish({ ...job, progress: 301 })
    await client.waitFor('job:progress', 301)
    t.match(client.of('session'), [{ recovered: true }])
    t.same(progressOf(client, 'job:progress'), upTo(301).map(i => i + 1))
  })

  t.test('another user\'s job and an unknown one are 404; while jobs-api is down it is 503', async t => {
    const job = newJob()
    await jobs.publish({ ...job, type: 'active' })
    await t.rejects(join(t, { ...job, userId: 'somebody-else' }), { code: '404' })
    await t.rejects(join(t, { ...job, jobId: 'nothing' }), { code: '404' })
    await jobs.receiver.stop()
    await t.rejects(join(t, job), { code: '503' })
    await jobs.receiver.start()
  })
})

t.test('a ticket opens an event stream once, for its user', async t => {
  const userId = `ticket-${++users}`
  const response = await fetch(
    `${url}/auth/ticket`, { method: 'POST', headers: { authorization: `Bearer ${tokenOf(userId)}` } }
  )
  t.equal(response.status, 201)
  const { ticket, expiresIn } = await response.json() as { ticket: string, expiresIn: number }
  t.equal(expiresIn, 60)
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  const stream = await fetch(`${url}/events?ticket=${ticket}`, { signal: abort.signal })
  t.equal(stream.status, 200)
  const { value } = await stream.body?.pipeThrough(new TextDecoderStream()).getReader().read() ?? {}
  t.match(value, /retry: 1000/)

  t.equal((await fetch(`${url}/events?ticket=${ticket}`)).status, 401, 'used')
  t.equal((await fetch(`${url}/events?ticket=nonsense`)).status, 401)
  t.equal((await fetch(`${url}/auth/ticket`, { method: 'POST' })).status, 401, 'a ticket needs a token')
  for (const type of ['application/json', 'text/plain;charset=UTF-8']) {
    const asked = await fetch(
      `${url}/auth/ticket`,
      { method: 'POST', headers: { authorization: `Bearer ${tokenOf(userId)}`, 'content-type': type }, body: '' }
    )
    t.equal(asked.status, 201, `${type} without a body`)
  }
  t.equal((await fetch(`${url}/ws`)).status, 426)
})
