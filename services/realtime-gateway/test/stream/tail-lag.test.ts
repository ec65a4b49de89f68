import t from 'tap'
import { JOB_EVENTS_KEY, LOW_WATER_KEY } from '@tidings/contracts'
import { tokenOf, until, type TestRedis } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../../src/session/transport.ts'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

// Most of the time the tail waits before its next attempt.
t.jobs = 2

const job = { userId: '1', jobId: 'a' }
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

/** Redis refuses only the reads of the tail. */
async function forbidReading (redis: TestRedis) {
  await redis.client().call('ACL', 'SETUSER', 'default', '-xread')
  return async () => { await redis.client().call('ACL', 'SETUSER', 'default', '+xread') }
}

t.test('a lagging gateway is unready and keeps its sessions, until it has caught up', { buffered: true }, async t => {
  const surroundings = await startSurroundings(t)
  const { redis, jobs } = surroundings
  const { app, url } = await startGateway(t, surroundings, { REALTIME_MAX_LAG_MS: '500' })
  const clients = await Promise.all(TRANSPORT_KINDS.map(kind => connect[kind](t, url, { token: tokenOf(1) })))
  await jobs.publish({ ...job, progress: 0 })
  for (const client of clients) await client.waitFor('job:progress')

  const allowReading = await forbidReading(redis)
  for (const i of upTo(10)) await jobs.publish({ ...job, progress: i + 1 })
  await until(async () => (await app.inject('/readyz')).statusCode === 503, { what: 'the gateway to be unready' })
  t.match((await app.inject('/readyz')).json(), { status: 'unready', faults: { tail: /behind the stream/ } })
  await until(
    async () => /tidings_realtime_tail_lag_seconds (0\.[5-9]|[1-9])/.test(await (await fetch(`${url}/metrics`)).text()),
    { what: 'the metric of the lag' }
  )
  t.notOk(clients.some(({ gone }) => gone))

  await allowReading()
  for (const client of clients) {
    await client.waitFor('job:progress', 11)
    t.same(client.of('job:progress').map(({ progress }) => progress), upTo(11))
  }
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
})

t.test('a stalled tail makes the gateway unready, with the reason', { buffered: true }, async t => {
  const surroundings = await startSurroundings(t)
  const { redis, jobs } = surroundings
  const { app, url } = await startGateway(t, surroundings, { REALTIME_MAX_LAG_MS: '3600000', STALL_TIMEOUT_MS: '1500' })
  const client = await connect.websocket(t, url, { token: tokenOf(1) })
  await jobs.publish({ ...job, progress: 0 })
  await client.waitFor('job:progress')

  const allowReading = await forbidReading(redis)
  const [last] = await jobs.publish({ ...job, progress: 1 }) // returned by the read that is already waiting
  await client.waitFor('job:progress', 2)
  await jobs.publish({ ...job, progress: 2 })
  const { faults } = await until(async () => {
    const answer = await app.inject('/readyz')
    return answer.statusCode === 503 && answer.json<{ faults: Record<string, string> }>()
  }, { what: 'the gateway to be unready' })
  t.same(Object.keys(faults), ['tail stall'])
  t.match(
    faults['tail stall'], new RegExp(`^tail is stalled at ${last} for \\d+ s while its source advances: .*NOPERM`)
  )
  t.notOk(client.gone)

  await allowReading()
  await client.waitFor('job:progress', 3)
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
})

t.test('after a gap in the stream sessions resume from histories that have all events', { buffered: true }, async t => {
  const surroundings = await startSurroundings(t)
  const { redis, jobs } = surroundings
  const { url } = await startGateway(t, surroundings)
  const clients = await Promise.all(
    TRANSPORT_KINDS.map(async kind => ({ kind, client: await connect[kind](t, url, { token: tokenOf(1) }) }))
  )
  await jobs.publish({ ...job, progress: 0 })
  for (const { client } of clients) await client.waitFor('job:progress')

  const allowReading = await forbidReading(redis)
  for (const i of upTo(10)) await jobs.publish({ ...job, progress: i + 1 })
  const { ms, seq } = await jobs.stream.last() ?? { ms: 0, seq: 0 }
  await redis.client().multi().xtrim(JOB_EVENTS_KEY, 'MAXLEN', 0).set(LOW_WATER_KEY, `${ms}-${seq}`).exec()
  await allowReading()

  for (const { kind, client } of clients) {
    t.same(await client.waitForEnd(), { reason: 'resync', reconnect: true })
    const again = await connect[kind](t, url, { token: tokenOf(1), lastEventId: client.lastEventId })
    t.match(again.of('session'), [{ recovered: true }])
    const seen = [client, again].flatMap(each => each.of('job:progress').map(({ progress }) => progress))
    t.same(seen, upTo(11), kind)
  }
  t.match(await (await fetch(`${url}/metrics`)).text(), /tidings_realtime_stream_gaps_total\{reason="trimmed"\} 1/)
})
