import t from 'tap'
import { signRefreshToken } from '@tidings/contracts'
import { TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { startGateway, startSurroundings } from '../setup/gateway.ts'
import { connectSocketIo, refusalOf } from '../setup/socket-io.ts'

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const { url } = await startGateway(t, surroundings)
const job = (jobId: string, userId = '1') => ({ userId, jobId })

t.test('a client without a good token gets connect_error unauthorized with the reason in data.code', async t => {
  const bad = {
    token_missing: undefined,
    token_invalid: tokenOf(1, { secret: 'another' }),
    token_expired: tokenOf(1, { expiresInMs: -1000 })
  }
  for (const [code, token] of Object.entries(bad)) {
    const err = await refusalOf(t, url, { token })
    t.equal(err.message, 'unauthorized')
    t.same(err.data, { code })
  }
  const none = ['{"alg":"none","typ":"JWT"}', '{"userId":1}', ''].map(part => Buffer.from(part).toString('base64url')).join('.')
  t.equal((await refusalOf(t, url, { token: none })).message, 'unauthorized', 'alg: none')
  const refresh = signRefreshToken({ userId: '1', secret: TEST_SECRET, expiresInMs: 60_000 })
  t.equal((await refusalOf(t, url, { token: refresh })).message, 'unauthorized', 'a refresh token')
})

t.test('the token may come in the Authorization header', async t => {
  const client = await connectSocketIo(t, url, { extraHeaders: { authorization: `Bearer ${tokenOf(4)}` } })
  t.equal(client.of('session')[0]?.userId, 4)
})

t.test('session comes once, with the user, the position and when the token ends', async t => {
  const client = await connectSocketIo(t, url, { token: tokenOf('alice') })
  const [session] = client.of('session')
  t.match(session, { userId: 'alice', recovered: false, lastEventId: /^\d+-\d+$/ })
  t.ok((session?.expiresAt as number) > Date.now())
})

t.test('the owner is told of progress, completion, failure and states, each with its event id; nobody else is', async t => {
  const owner = await connectSocketIo(t, url, { token: tokenOf(1) })
  const other = await connectSocketIo(t, url, { token: tokenOf(2) })
  const ids = await jobs.tell(
    { ...job('j1'), type: 'added' }, { ...job('j1'), type: 'waiting' }, { ...job('j1'), type: 'active' },
    { ...job('j1'), progress: 40 }, { ...job('j1'), type: 'completed', result: { rows: 3 } },
    { ...job('j2'), type: 'failed', error: 'no such file' }
  )
  await owner.waitFor('job:failed')
  t.same(owner.of('job:state').map(({ state }) => state), ['waiting', 'active'])
  t.match(owner.of('job:progress')[0], { eventId: ids[3], jobId: 'j1', name: 'report', queue: 'default', userId: 1, progress: 40 })
  t.match(owner.of('job:completed')[0], { eventId: ids[4], jobId: 'j1', userId: 1, result: { rows: 3 } })
  t.match(owner.of('job:failed')[0], { eventId: ids[5], jobId: 'j2', error: 'no such file' })

  await jobs.tell({ ...job('j3', '2') })
  await other.waitFor('job:progress')
  t.same(other.told.map(({ event }) => event), ['session', 'job:progress'])
})

t.test('subscribe:job answers a snapshot and tells of the job under its own name until it is left', async t => {
  await jobs.tell({ ...job('j4'), type: 'active' })
  const client = await connectSocketIo(t, url, { token: tokenOf(1) })
  const ack = await client.socket.emitWithAck('subscribe:job', 'j4')
  t.match(ack, { ok: true, recovered: false, job: { id: 'j4', state: 'active' } })
  t.equal(ack.lastEventId, ack.job.lastEventId)

  await jobs.tell({ ...job('j4'), progress: 10 }, { ...job('j4'), type: 'completed', result: 1 }, { ...job('j5'), type: 'failed', error: 'x' })
  await client.waitFor('job:failed')
  t.match(client.of('job:j4:progress'), [{ jobId: 'j4', progress: 10 }])
  t.match(client.of('job:j4:completed'), [{ jobId: 'j4', result: 1 }])
  t.same(client.of('job:j5:failed'), [], 'of other jobs only the owner\'s name is told')

  t.same(await client.socket.emitWithAck('unsubscribe:job', 'j4'), { ok: true })
  await jobs.tell({ ...job('j4'), type: 'waiting', reopened: true }, { ...job('j4'), progress: 20 })
  await client.waitFor('job:progress', 2)
  t.equal(client.of('job:j4:progress').length, 1)
})

t.test('subscribe:job works without an ack callback', async t => {
  await jobs.tell({ ...job('j6'), type: 'active' })
  const client = await connectSocketIo(t, url, { token: tokenOf(1) })
  client.socket.emit('subscribe:job', 'j6')
  await until(async () => {
    await jobs.tell({ ...job('j6'), progress: 1 })
    return client.of('job:j6:progress').length > 0
  })
})

t.test('another user\'s job and an unknown one are not found, and tell nothing', async t => {
  await jobs.tell({ ...job('j7'), type: 'active' })
  const client = await connectSocketIo(t, url, { token: tokenOf(2) })
  t.same(await client.socket.emitWithAck('subscribe:job', 'j7'), { ok: false, error: 'not found' })
  t.same(await client.socket.emitWithAck('subscribe:job', 'nothing'), { ok: false, error: 'not found' })
  await jobs.tell({ ...job('j7'), progress: 1 }, { ...job('j8', '2'), progress: 1 })
  await client.waitFor('job:progress')
  t.same(client.told.map(({ event }) => event), ['session', 'job:progress'])
})

t.test('while jobs-api is away a subscription is unavailable and the session goes on', async t => {
  const client = await connectSocketIo(t, url, { token: tokenOf(1) })
  await jobs.receiver.stop()
  t.same(await client.socket.emitWithAck('subscribe:job', 'j4'), { ok: false, error: 'unavailable' })
  await jobs.tell({ ...job('j9'), progress: 1 })
  await client.waitFor('job:progress')
  await jobs.receiver.start()
  t.match(await client.socket.emitWithAck('subscribe:job', 'j4'), { ok: true })
})

t.test('what is no command is refused', async t => {
  const client = await connectSocketIo(t, url, { token: tokenOf(1) })
  t.same(await client.socket.emitWithAck('subscribe:job', { id: 'j4' }), { ok: false, error: 'invalid' })
  t.same(await client.socket.emitWithAck('subscribe:job', 7), { ok: false, error: 'invalid' })
  t.same(await client.socket.emitWithAck('subscribe:job', ''), { ok: false, error: 'invalid' })
  t.same(await client.socket.emitWithAck('constructor', 'x'), { ok: false, error: 'unknown command' })
})

t.test('HTTP long-polling works, and is upgraded', async t => {
  const polling = await connectSocketIo(t, url, { token: tokenOf(3), transports: ['polling'] })
  const upgraded = await connectSocketIo(t, url, { token: tokenOf(3), transports: ['polling', 'websocket'] })
  await until(() => upgraded.socket.io.engine.transport.name === 'websocket')
  await jobs.tell({ ...job('p1', '3'), progress: 1 }, { ...job('p1', '3'), progress: 2 })
  for (const client of [polling, upgraded]) {
    await client.waitFor('job:progress', 2)
    t.same(client.of('job:progress').map(({ progress }) => progress), [1, 2])
  }
})

t.test('a client that comes back with lastEventId gets what it missed, once and in order', async t => {
  const before = await connectSocketIo(t, url, { token: tokenOf(5) })
  await jobs.tell({ ...job('r1', '5'), progress: 0 })
  await before.waitFor('job:progress')
  const lastEventId = before.of('job:progress')[0]?.eventId as string
  before.socket.disconnect()

  await jobs.tell(...Array.from({ length: 300 }, (_, i) => ({ ...job('r1', '5'), progress: i + 1 })))
  const after = await connectSocketIo(t, url, { token: tokenOf(5), lastEventId })
  t.match(after.of('session'), [{ recovered: true }])
  await jobs.tell({ ...job('r1', '5'), progress: 301 })
  await after.waitFor('job:progress', 301)
  t.same(after.of('job:progress').map(({ progress }) => progress), Array.from({ length: 301 }, (_, i) => i + 1))
})
