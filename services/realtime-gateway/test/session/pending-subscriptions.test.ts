import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import type { Client } from '../setup/client.ts'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const [{ url, app }, { url: brief }] = [
  await startGateway(t, surroundings),
  await startGateway(t, surroundings, { REALTIME_UNKNOWN_JOB_MS: '300' })
]

let users = 0
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const progressOf = (client: Client, jobId: string) => client.of(`job:${jobId}:progress`).map(({ progress }) => progress)

/** A later event arrives: the session is still live. */
async function flush (client: Client, userId: string) {
  await jobs.publish({ userId, jobId: 'another', progress: 'flushed' })
  await until(() => client.of('job:progress').some(({ progress }) => progress === 'flushed'))
}

for (const kind of ['socket.io', 'websocket'] as const) {
  t.test(kind, async t => {
    const join = connect[kind]
    const newJob = () => ({ userId: `${kind}-${++users}`, jobId: `job-${users}` })

    t.test('a request without an ack is kept while jobs-api is down, and no event since it is missing', async t => {
      const job = newJob()
      await jobs.publish({ ...job, progress: 'before' })
      const client = await join(t, url, { token: tokenOf(job.userId) })
      await jobs.receiver.stop()
      client.emit('subscribe:job', job.jobId)
      t.same(await client.waitFor('subscribe:error'), [{ jobId: job.jobId, error: 'unavailable', retrying: true }])
      await jobs.publish(...upTo(5).map(i => ({ ...job, progress: i })))
      await jobs.receiver.start()
      t.match(
        await client.waitFor('subscribe:ok'),
        [{ jobId: job.jobId, recovered: true, job: { id: job.jobId, progress: 4 } }]
      )
      await jobs.publish({ ...job, progress: 5 }, { ...job, type: 'completed', result: 'done' })
      await client.waitFor(`job:${job.jobId}:completed`)
      t.same(progressOf(client, job.jobId), upTo(6))
      t.equal(client.of('subscribe:error').length, 1, 'the retry is reported once')
    })

    t.test('a request for a job that is not known yet is kept, and continues with the job\'s first event', async t => {
      const job = newJob()
      const client = await join(t, url, { token: tokenOf(job.userId) })
      client.emit('subscribe:job', job.jobId)
      t.match(await client.waitFor('subscribe:error'), [{ jobId: job.jobId, error: 'not found', retrying: true }])
      await jobs.publish(
        { ...job, type: 'waiting' },
        { ...job, type: 'active' },
        { ...job, progress: 1 },
        { ...job, type: 'completed', result: 'done' }
      )
      await client.waitFor('subscribe:ok')
      await client.waitFor(`job:${job.jobId}:completed`)
      t.same(progressOf(client, job.jobId), [1])
    })

    t.test('a client that waits for an ack gets it in time, and an event later', async t => {
      const job = newJob()
      const client = await join(t, url, { token: tokenOf(job.userId) })
      t.match(
        await client.command('subscribe:job', { jobId: job.jobId }), { ok: false, error: 'not found', retrying: true }
      )
      t.same(client.of('subscribe:error'), [], 'the ack has reported it already')
      await jobs.publish({ ...job, progress: 1 })
      t.match(await client.waitFor('subscribe:ok'), [{ jobId: job.jobId, job: { progress: 1 } }])
      t.same(progressOf(client, job.jobId), [1])
      t.match(await client.command('subscribe:job', job.jobId), { ok: true, job: { progress: 1 } })
    })

    t.test('a request without an ack is answered by an event, also for a job that ends during the lookup', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, url, { token: tokenOf(job.userId) })
      const ended = jobs.publish({ ...job, progress: 1 }, { ...job, type: 'completed', result: 'done' })
      client.emit('subscribe:job', job.jobId)
      await ended
      const [{ lastEventId } = {}] = await client.waitFor('subscribe:ok')
      const seen = client.received.filter(
        ({ event }) => event.startsWith(`job:${job.jobId}:`)
      ).map(({ data }) => data.eventId)
      const owner = client.of('job:progress', 'job:completed').map(({ eventId }) => eventId)
      t.same(seen, owner.slice(owner.length - seen.length), 'all from some point on')
      t.ok(lastEventId)
    })

    t.test('a job that never appears is refused in the end, also without an ack', async t => {
      const job = newJob()
      const client = await join(t, brief, { token: tokenOf(job.userId) })
      client.emit('subscribe:job', job.jobId)
      t.match(await client.waitFor('subscribe:error', 2), [
        { jobId: job.jobId, error: 'not found', retrying: true }, {
          jobId: job.jobId, error: 'not found', retrying: false
        }
      ])
      await jobs.publish({ ...job, progress: 1 })
      await flush(client, job.userId)
      t.same(progressOf(client, job.jobId), [])
      t.equal(client.of('subscribe:error').length, 2)
    })

    t.test('another user\'s job is refused in the same way, and sends no events', async t => {
      const [job, own] = [newJob(), newJob()]
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, brief, { token: tokenOf(own.userId) })
      client.emit('subscribe:job', job.jobId)
      await jobs.publish({ ...job, progress: 1 })
      t.match((await client.waitFor('subscribe:error', 2)).at(-1), { error: 'not found', retrying: false })
      await jobs.publish({ ...job, progress: 2 })
      await flush(client, own.userId)
      t.same(client.received.filter(({ event }) => event.startsWith('job:')).map(({ data }) => data.jobId), ['another'])
    })

    t.test('unsubscribe:job ends a pending request', async t => {
      const job = newJob()
      const client = await join(t, url, { token: tokenOf(job.userId) })
      client.emit('subscribe:job', job.jobId)
      await client.waitFor('subscribe:error')
      t.match(await client.command('unsubscribe:job', job.jobId), { ok: true })
      await jobs.publish({ ...job, progress: 1 })
      await flush(client, job.userId)
      t.same(progressOf(client, job.jobId), [])
      t.same(client.of('subscribe:ok'), [])
      const [session] = app.hub.sessionsOf(job.userId) ?? []
      t.equal(session?.subscriptions.size, 0)
    })

    t.test('repeated requests for a pending subscription are answered, and subscribe once', async t => {
      const job = newJob()
      const client = await join(t, url, { token: tokenOf(job.userId) })
      for (let i = 0; i < 3; i++) client.emit('subscribe:job', job.jobId)
      t.match(await client.command('subscribe:job', job.jobId), { ok: false, retrying: true })
      await jobs.publish({ ...job, progress: 1 })
      await client.waitFor('subscribe:ok')
      await flush(client, job.userId)
      t.same(progressOf(client, job.jobId), [1])
      t.equal(client.of('subscribe:ok').length, 1)
    })

    t.test('a job id may be a number, like BullMQ\'s own ids', async t => {
      const userId = newJob().userId
      await jobs.publish({ userId, jobId: String(users), type: 'active' })
      const client = await join(t, url, { token: tokenOf(userId) })
      t.match(await client.command('subscribe:job', users), { ok: true, job: { id: String(users) } })
      t.match(await client.command('unsubscribe:job', users), { ok: true })
      t.match(
        await client.command('subscribe:job', { jobId: users, queue: null, lastEventId: '' }),
        { ok: true, job: { id: String(users) } }
      )
      client.emit('subscribe:job', 2 ** 53)
      t.match(await client.waitFor('subscribe:error'), [{ error: 'invalid', detail: /below 2\^53/, retrying: false }])
    })

    t.test('every legal job id can be subscribed to', async t => {
      const { userId } = newJob()
      const client = await join(t, url, { token: tokenOf(userId) })
      for (const id of [
        'counts', 'stats', 'events', '..', '.', 'a/b', '/', '%2F', 'a b', 'ü', '日本', '?x=1', '#', 'a:b', '0', '-1',
        '__proto__', 'constructor', 'x'.repeat(256)
      ]) {
        const jobId = `${id}`
        await jobs.publish({ userId, jobId, type: 'active' })
        t.match(await client.command('subscribe:job', jobId), { ok: true, job: { id: jobId } }, jobId)
        await jobs.publish({ userId, jobId, progress: 1 })
        await client.waitFor(`job:${jobId}:progress`)
      }
    })

    t.test('900 subscriptions at once are a few requests to jobs-api, and all are answered', async t => {
      const { userId, jobId } = newJob()
      const ids = upTo(900).map(i => `${jobId}-${i}`)
      await jobs.publish(...ids.map(id => ({ userId, jobId: id, progress: 0 })))
      const client = await join(t, url, { token: tokenOf(userId) })
      const before = jobs.receiver.requests.length
      for (const id of ids) client.emit('subscribe:job', id)
      await client.waitFor('subscribe:ok', 900)
      const asked = jobs.receiver.requests.length - before
      t.ok(asked <= 100, `${asked} requests`)
      t.same(client.of('subscribe:error'), [])
    })

    t.test('a command beyond the rate is refused with the time to retry, also without an ack', async t => {
      const { userId } = newJob()
      const client = await join(t, url, { token: tokenOf(userId) })
      for (let i = 0; i < 1300; i++) client.emit('subscribe:job', 'the same')
      await until(() => client.of('subscribe:error').some(({ error }) => error === 'rate limited'))
      t.match(
        client.of('subscribe:error').find(({ error }) => error === 'rate limited'),
        { jobId: 'the same', retrying: false, retryAfterMs: Number }
      )
      for (let i = 0; i < 300; i++) client.emit('unsubscribe:job', 'the same')
      t.match(
        (await client.waitFor('command:error'))[0],
        { command: 'unsubscribe:job', error: 'rate limited', retryAfterMs: Number }
      )
    })

    t.test('a user who subscribes without end delays nobody else', async t => {
      const [greedy, modest] = [newJob(), newJob()]
      await jobs.publish({ ...modest, type: 'active' })
      const client = await join(t, url, { token: tokenOf(modest.userId) })
      const others = await Promise.all(upTo(5).map(() => join(t, url, { token: tokenOf(greedy.userId) })))
      for (const other of others) for (let i = 0; i < 900; i++) other.emit('subscribe:job', `nothing-${i}`)
      const before = jobs.receiver.requests.length
      t.match(await client.command('subscribe:job', modest.jobId), { ok: true })
      const asked = jobs.receiver.requests.length - before
      t.ok(asked <= 20, `after ${asked} questions of others, not after 45`)
    })
  })
}

t.test('GET /jobs/:jobId/stream', async t => {
  const newJob = () => ({ userId: `stream-${++users}`, jobId: `job-${users}` })
  const accept = 'text/event-stream'

  t.test('starts for a job that is added a moment later', async t => {
    const job = newJob()
    const joining = connect.sse(t, url, { token: tokenOf(job.userId), job: job.jobId, accept })
    await until(() => app.hub.sessionsOf(job.userId)?.size === 1)
    await jobs.publish({ ...job, type: 'active' }, { ...job, progress: 1 })
    const client = await joining
    await client.waitFor('job')
    await jobs.publish({ ...job, progress: 2 })
    await until(() => client.of('job:progress').at(-1)?.progress === 2)
    t.same(client.received.slice(0, 2).map(({ event }) => event), ['session', 'job'])
  })

  t.test('waits, for an EventSource, while jobs-api is down', async t => {
    const job = newJob()
    await jobs.publish({ ...job, type: 'active' })
    await jobs.receiver.stop()
    const begun = await fetch(
      `${url}/jobs/${job.jobId}/stream`, { headers: { authorization: `Bearer ${tokenOf(job.userId)}`, accept } }
    )
    t.equal(begun.status, 200)
    await jobs.publish({ ...job, progress: 1 })
    await jobs.receiver.start()
    const reader = (begun.body as ReadableStream).pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    await until(async () => {
      text += (await reader.read()).value ?? ''
      return text.includes('event: job\n')
    })
    t.match(text, /^retry: \d+\n\n:\n\n/)
    t.match(text, /event: session\n[^]*event: job\ndata: .*"progress":1/)
    await reader.cancel()
  })

  t.test('sends jobs with every legal id', async t => {
    const { userId } = newJob()
    for (const jobId of [
      'counts', 'stats', 'events', 'a/b', '%2F', 'a b', 'ü', '?x=1', '#', 'a:b', '...', 'stream', 'x'.repeat(256),
      '日'.repeat(256)
    ]) {
      await jobs.publish({ userId, jobId, progress: jobId })
      const client = await connect.sse(t, url, { token: tokenOf(userId), job: jobId })
      t.match(await client.waitFor('job'), [{ id: jobId, progress: jobId }])
      client.close()
    }
  })
})
