import { get } from 'node:http'
import t from 'tap'
import WebSocket from 'ws'
import { tokenOf, until } from '@tidings/testing'
import type { Client } from './setup/client.ts'
import { connect } from './setup/transports.ts'
import { startGateway, startSurroundings } from './setup/gateway.ts'

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const [{ app, url }, quick] = await Promise.all([
  startGateway(t, surroundings),
  startGateway(t, surroundings, { REALTIME_COMMANDS_PER_SECOND: '1000' })
])

let users = 0
const newJob = () => ({ userId: `bounds-${++users}`, jobId: `job-${users}` })
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

/** Other clients still receive events. */
async function othersReceive (bystander: Client, job: ReturnType<typeof newJob>) {
  await jobs.publish({ ...job, progress: 'still here' })
  await until(() => bystander.of('job:progress').some(({ progress }) => progress === 'still here'))
}

for (const kind of ['socket.io', 'websocket'] as const) {
  t.test(kind, async t => {
    const join = connect[kind]

    t.test('the 1,001st subscription is refused, and the others continue', async t => {
      const job = newJob()
      const ids = upTo(1001).map(i => `${job.jobId}-${i}`)
      // No progress yet: the tail of a busy gateway may deliver these events to the session.
      await jobs.publish(...ids.map(jobId => ({ ...job, jobId, type: 'added' as const })))
      const client = await join(t, quick.url, { token: tokenOf(job.userId) })
      await subscribeAll(client, ids.slice(0, 1000))
      t.match(await client.command('subscribe:job', ids[1000]), { ok: false, error: 'too many subscriptions' })
      t.match(await metricsOf(quick.url), /tidings_realtime_subscribes_total\{outcome="too_many_subscriptions"\} \d/)
      await jobs.publish(...ids.map(jobId => ({ ...job, jobId, progress: 1 })))
      await client.waitFor('job:progress', 1001)
      t.same(ids.map(id => client.of(`job:${id}:progress`).length), ids.map((_, i) => i < 1000 ? 1 : 0))
    })

    t.test('of 1,000 commands per second those beyond the rate are refused, and the session goes on', async t => {
      const job = newJob()
      const client = await join(t, url, { token: tokenOf(job.userId) })
      const since = Date.now()
      const acks = await Promise.all(upTo(1000).map(() => client.command('unsubscribe:job', 'x')))
      const granted = acks.filter(({ ok }) => ok).length
      t.ok(granted >= 200, `${granted} were granted`)
      t.ok(granted <= 200 + (Date.now() - since) / 1000 * 100 + 1, 'twice the rate at once, then the rate')
      t.ok(acks.every(({ ok, error }) => ok || error === 'rate limited'))
      t.ok(await refusals(url, 'rate') >= acks.length - granted)
      await othersReceive(client, job)
    })

    t.test('a message of 17 KiB closes its connection with 1009, and no other', async t => {
      const job = newJob()
      const before = await refusals(url, 'size')
      const [client, bystander] = [
        await join(t, url, { token: tokenOf(job.userId) }), await join(t, url, { token: tokenOf(job.userId) })
      ]
      client.command('unsubscribe:job', 'x'.repeat(17 * 1024)).catch(() => {})
      await client.waitForEnd()
      t.equal(client.closeCode, 1009)
      await until(async () => await refusals(url, 'size') > before)
      await othersReceive(bystander, job)
    })

    t.test('a message of 15 KiB is read', async t => {
      const client = await join(t, url, { token: tokenOf(newJob().userId) })
      t.match(await client.command('unsubscribe:job', 'x'.repeat(15 * 1024)), { ok: false, error: 'invalid' })
    })

    t.test('a client that sends commands without reading the answers is closed as slow', async t => {
      const job = newJob()
      const [client, bystander] = [
        await join(t, url, { token: tokenOf(job.userId) }), await join(t, url, { token: tokenOf(job.userId) })
      ]
      const [session] = app.hub.sessionsOf(job.userId) ?? []
      client.hang()
      let most = 0
      await until(() => {
        for (let i = 0; i < 2000; i++) client.command('unsubscribe:job', 'x').catch(() => {})
        most = Math.max(most, session?.transport.unsentBytes ?? 0)
        return session?.hasEnded
      }, { timeoutMs: 60_000 })
      t.ok(most < 2 * 1024 * 1024, `${most} bytes were unsent`)
      client.read()
      await client.waitForEnd()
      await othersReceive(bystander, job)
    })
  })
}

t.test('sse: a request of 40 KiB is refused with an HTTP status', async t => {
  const job = newJob()
  const bystander = await connect.sse(t, url, { token: tokenOf(job.userId) })
  await t.rejects(connect.sse(t, url, { token: `${tokenOf(job.userId)}.${'x'.repeat(40 * 1024)}` }), { code: '431' })
  const query = await new Promise((resolve, reject) => {
    get(`${url}/events?lastEventId=${'1'.repeat(100)}`, {
      headers: { authorization: `Bearer ${tokenOf(1)}` }
    }, response => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
  t.equal(query, 400)
  await othersReceive(bystander, job)
})

t.test('socket.io over polling: a message of 17 KiB is refused', async t => {
  const job = newJob()
  const [client, bystander] = [
    await connect['socket.io'](t, url, { token: tokenOf(job.userId), transports: ['polling'] }),
    await connect['socket.io'](t, url, { token: tokenOf(job.userId), transports: ['polling'] })
  ]
  const before = await refusals(url, 'size')
  client.command('unsubscribe:job', 'x'.repeat(17 * 1024)).catch(() => {})
  await client.waitForEnd()
  await until(async () => await refusals(url, 'size') > before)
  await othersReceive(bystander, job)
})

t.test('websocket: a message that is not a command counts as one, and is refused like one', async t => {
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${tokenOf(newJob().userId)}` } }
  )
  t.teardown(() => socket.terminate())
  const answers: string[] = []
  socket.on('message', (data: Buffer) => {
    const { event, data: { error } } = JSON.parse(data.toString()) as { event: string, data: { error: string } }
    if (event === 'error') answers.push(error)
  })
  await new Promise(resolve => { socket.once('open', resolve) })
  for (const message of ['no JSON', '[]', '{"event": 7}']) socket.send(message)
  await until(() => answers.length === 3)
  t.same(answers, ['invalid', 'invalid', 'invalid'])
  for (let i = 0; i < 1000; i++) socket.send('no JSON')
  await until(() => answers.length === 1003)
  t.ok(answers.includes('rate limited'))
  t.ok(await refusals(url, 'invalid') >= 3)
})

const metricsOf = async (url: string) => await (await fetch(`${url}/metrics`)).text()

async function refusals (url: string, reason: string): Promise<number> {
  return Number(
    new RegExp(`refused_commands_total\\{reason="${reason}"\\} (\\d+)`).exec(await metricsOf(url))?.[1] ?? 0
  )
}

/** All at once, like a client that reconnects; temporary refusals are retried. */
async function subscribeAll (client: Client, ids: string[]): Promise<void> {
  const acks = await Promise.all(ids.map(id => client.command('subscribe:job', id)))
  const again = ids.filter((_, i) => ['rate limited', 'unavailable'].includes(String(acks[i]?.error)))
  const refused = acks.filter(({ ok, error }) => !ok && error !== 'rate limited' && error !== 'unavailable')
  if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused[0])}`)
  if (again.length > 0) await subscribeAll(client, again)
}
