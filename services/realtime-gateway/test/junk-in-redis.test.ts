import t from 'tap'
import {
  JOB_EVENTS_KEY, REALTIME_CHANNEL, REPLICAS_KEY, REVOCATIONS_KEY, userHistoryKey, userSessionsKey
} from '@tidings/contracts'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import { connect } from './setup/transports.ts'
import { startGateway, startReplica, startSurroundings } from './setup/gateway.ts'

// Values that other programs may write into the Redis of a gateway, by mistake or on purpose.

const emit = (packet: unknown, more: object = {}) => JSON.stringify(
  { uid: 'x', nsp: '/', type: 9, data: { packet }, ...more }
)
const MESSAGES: (string | Buffer)[] = [
  '{', '{}', 'null', '[]', '7', '""', '{"type":9}', '{"uid":"x","nsp":"/"}', 'nonsense', Buffer.from([0x81, 0xa4]),
  Buffer.alloc(100_000, 0x7b),
  ...Array.from({ length: 15 }, (_, type) => JSON.stringify({ uid: 'x', nsp: '/', type })),
  ...Array.from({ length: 15 }, (_, type) => JSON.stringify({ uid: 'x', nsp: '/', type, data: {} })),
  emit(undefined), emit('revoked'), emit([]), emit(['revoked']), emit(['revoked', {}, {}]),
  emit(['revoked', 'innocent', 'soon']),
  emit(['revoked', 'innocent', 1e300]), emit(['connection', {}]), emit(['error']), emit(['__proto__', 1]),
  JSON.stringify(
    {
      uid: 'x',
      nsp: '/',
      type: 3,
      data: { packet: { type: 2, data: ['job:completed', {}], nsp: '/' }, opts: { rooms: [], except: [] } }
    }
  ),
  JSON.stringify({ uid: 'x', nsp: '/', type: 6, data: { opts: { rooms: [], except: [], flags: {} }, close: true } })
]

t.test('foreign messages on the gateways\' channels are dropped and counted', async t => {
  const surroundings = await startSurroundings(t)
  const { url, process } = await startReplica(t, surroundings)
  const clients = await Promise.all(TRANSPORT_KINDS.map(kind => connect[kind](t, url, { token: tokenOf('innocent') })))
  const [channel, own] = await until(async () => {
    const channels = await surroundings.redis.client().pubsub('SHARDCHANNELS', `${REALTIME_CHANNEL}*`) as string[]
    return channels.length === 2 && channels.toSorted((a, b) => a.length - b.length)
  }, { what: 'the gateway to subscribe' })
  const publisher = surroundings.redis.client()
  for (const message of MESSAGES) {
    for (const to of [channel as string, own as string]) {
      await publisher.spublish(to, message as string)
      await publisher.publish(to, message as string)
    }
  }

  await surroundings.jobs.publish({ userId: 'innocent', jobId: 'a', progress: 1 })
  for (const client of clients) {
    await client.waitFor('job:progress')
    t.same(client.received.map(({ event }) => event), ['session', 'job:progress'], 'clients receive none of it')
  }
  t.equal(process.process.exitCode, null)
  await until(async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    return Number(/malformed_messages_total (\d+)/.exec(metrics)?.[1]) >= MESSAGES.length
  })
})

t.test('a revocation of a system in another database of the same Redis ends no session', async t => {
  const surroundings = await startSurroundings(t)
  const elsewhere = { ...surroundings.redis, url: `${surroundings.redis.url}/7` }
  const [ours, theirs] = [
    await startGateway(t, surroundings, { REALTIME_INTERNAL_PORT: '0' }),
    await startGateway(t, { ...surroundings, redis: elsewhere }, { REALTIME_INTERNAL_PORT: '0' })
  ]
  let notified = 0
  ours.app.io.on('revoked', () => { notified++ })
  const client = await connect.websocket(t, ours.url, { token: tokenOf('both') })
  const revoke = async ({ internalUrl }: typeof ours, userId: string) => {
    await fetch(
      `${internalUrl}/revocations`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId }) }
    )
  }
  await revoke(theirs, 'both')
  await revoke(ours, 'another')
  await surroundings.jobs.publish({ userId: 'both', jobId: 'a', progress: 1 })
  await client.waitFor('job:progress')
  t.notOk(client.gone)
  t.equal(notified, 0)
})

t.test('junk among the entries of the stream stops no events', async t => {
  const surroundings = await startSurroundings(t)
  const { jobs } = surroundings
  const { url } = await startGateway(t, surroundings)
  const clients = await Promise.all(TRANSPORT_KINDS.map(kind => connect[kind](t, url, { token: tokenOf('a') })))
  const redis = surroundings.redis.client()
  const event = { v: 1, type: 'progress', queue: 'default', jobId: 'j', name: 'n', userId: 'a', timestamp: 1 }
  const junk = [
    '', 'null', '7', '"text"', '[]', '{}', '{"v":1}', '{"v":"1"}', '{"v":-1}',
    JSON.stringify({ ...event, timestamp: 'soon' }), JSON.stringify({ ...event, userId: 'b' }),
    JSON.stringify({ ...event, jobId: 7 }), JSON.stringify({ ...event, type: 'unknown' })
  ]
  for (const payload of junk) await redis.xadd(JOB_EVENTS_KEY, '*', 'u', 'a', 'd', payload)
  await redis.xadd(JOB_EVENTS_KEY, '*', 'u', 'a')
    .catch(() => {}) // Redis itself refuses a field without a value
  await redis.xadd(JOB_EVENTS_KEY, '*', 'other', 'field')
  await jobs.publish({ userId: 'a', jobId: 'a', progress: 'after' })
  for (const client of clients) {
    await until(() => client.of('job:progress').some(({ progress }) => progress === 'after'))
  }
})

t.test('junk in a user\'s history, or in its place, does not prevent a reconnect', async t => {
  const surroundings = await startSurroundings(t)
  const { jobs } = surroundings
  const { url } = await startGateway(t, surroundings)
  const redis = surroundings.redis.client()
  const [lastEventId] = await jobs.publish({ userId: 'a', jobId: 'a', progress: 0 })
  let junk: string | null = null
  for (const payload of ['nonsense', 'null', '{"v":1}']) junk = await redis.xadd(userHistoryKey('a'), '*', 'd', payload)
  // Within one millisecond the next event would have the smaller id, and the history would start again with it.
  await until(() => Date.now() > Number(junk?.split('-')[0]) + 1)
  await jobs.publish({ userId: 'a', jobId: 'a', progress: 1 })
  for (const kind of TRANSPORT_KINDS) {
    const client = await connect[kind](t, url, { token: tokenOf('a'), lastEventId })
    await client.waitFor('job:progress')
    t.same(client.of('job:progress').map(({ progress }) => progress), [1], kind)
  }
  await redis.set(userHistoryKey('a'), 'a string')
  for (const kind of TRANSPORT_KINDS) {
    const client = await connect[kind](t, url, { token: tokenOf('a'), lastEventId })
    t.match(client.of('session'), [{ recovered: false }], kind)
  }
})

t.test('junk in the session counts lifts no bound and locks nobody out', async t => {
  const surroundings = await startSurroundings(t)
  const redis = surroundings.redis.client()
  const { url } = await startGateway(t, surroundings, { REALTIME_MAX_SESSIONS: '1' })
  await redis.zadd(REPLICAS_KEY, Date.now() + 1e6, 'somebody')
  await redis.hset(userSessionsKey('junk'), 'somebody', 'many')
  const first = await connect.websocket(t, url, { token: tokenOf('junk') })
  await t.rejects(connect.websocket(t, url, { token: tokenOf('junk') }), { code: '429' })
  first.close()
  for (const key of [userSessionsKey('junk'), REPLICAS_KEY]) {
    await redis.set(key, 'a string')
    const client = await until(() => connect.websocket(t, url, { token: tokenOf('junk') }))
    await t.rejects(connect.websocket(t, url, { token: tokenOf('junk') }), { code: '429' })
    client.close()
  }
})

t.test('junk among the revocations does not affect the others', async t => {
  const surroundings = await startSurroundings(t)
  const redis = surroundings.redis.client()
  await redis.hset(
    REVOCATIONS_KEY, { junk: 'soon', 'junk-too': 'NaN', fine: String(Math.floor(Date.now() / 1000) + 100) }
  )
  const { app, url } = await startGateway(t, surroundings)
  await t.rejects(connect.websocket(t, url, { token: tokenOf('fine') }), { code: '401' })
  const client = await connect.websocket(t, url, { token: tokenOf('junk') })
  await app.revocations.sweep()
  t.notOk(client.gone)
  await redis.hset(REVOCATIONS_KEY, 'junk', Math.floor(Date.now() / 1000) + 100)
  await app.revocations.sweep()
  t.match(await client.waitForEnd(), { reason: 'revoked' })
  await t.rejects(connect.websocket(t, url, { token: tokenOf('junk') }), { code: '401' })
  await redis.set(REVOCATIONS_KEY, 'a string')
  t.ok(await connect.websocket(t, url, { token: tokenOf('another') }))
})
