import t from 'tap'
import { io } from 'socket.io-client'
import { signRefreshToken } from '@tidings/contracts'
import { TEST_SECRET, tokenOf, until, type TestContext } from '@tidings/testing'
import { startGateway, startSurroundings } from '../../setup/gateway.ts'
import { connectSocketIo } from '../../setup/socket-io-client.ts'

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const { url } = await startGateway(t, surroundings)
const job = (jobId: string, userId = '1') => ({ userId, jobId })

t.test('a client without a valid token gets connect_error unauthorized with the reason in data.code', async t => {
  const none = [
    '{"alg":"none","typ":"JWT"}', '{"userId":1}', ''
  ].map(part => Buffer.from(part).toString('base64url')).join('.')
  const refused: [string, string | undefined, string][] = [
    ['none', undefined, 'token_missing'],
    ['of another secret', tokenOf(1, { secret: 'another' }), 'token_invalid'],
    ['expired', tokenOf(1, { expiresInMs: -60_000 }), 'token_expired'],
    ['alg: none', none, 'token_invalid'],
    ['a refresh token', signRefreshToken({ userId: '1', secret: TEST_SECRET, expiresInMs: 60_000 }), 'token_invalid']
  ]
  for (const [what, token, code] of refused) {
    const err = await refusalOf(t, token)
    t.equal(err.message, 'unauthorized', what)
    t.same(err.data, { code }, what)
  }
})

t.test('the token may come in the Authorization header', async t => {
  const socket = io(url, { extraHeaders: { authorization: `Bearer ${tokenOf(4)}` }, forceNew: true })
  t.teardown(() => socket.disconnect())
  const session = await new Promise(resolve => { socket.once('session', resolve) })
  t.match(session, { userId: 4 })
})

t.test('events of a subscribed job come under its own name too, until it is unsubscribed', async t => {
  await jobs.publish({ ...job('j4'), type: 'active' })
  const client = await connectSocketIo(t, url, { token: tokenOf(1) })
  const ack = await client.command('subscribe:job', 'j4')
  t.match(ack, { ok: true, job: { id: 'j4', state: 'active' } })

  await jobs.publish(
    { ...job('j4'), progress: 10 },
    { ...job('j4'), type: 'completed', result: 1 },
    { ...job('j5'), type: 'failed', error: 'x' }
  )
  await client.waitFor('job:failed')
  t.match(client.of('job:j4:progress'), [{ jobId: 'j4', progress: 10 }])
  t.match(client.of('job:j4:completed'), [{ jobId: 'j4', result: 1 }])
  t.same(client.of('job:j5:failed'), [], 'other jobs come only under the owner\'s event names')

  t.same(await client.command('unsubscribe:job', 'j4'), { ok: true })
  await jobs.publish({ ...job('j4'), type: 'waiting', reopened: true }, { ...job('j4'), progress: 20 })
  await client.waitFor('job:progress', 2)
  t.equal(client.of('job:j4:progress').length, 1)
})

t.test('subscribe:job works without an ack callback', async t => {
  await jobs.publish({ ...job('j6'), type: 'active' })
  const socket = io(url, { auth: { token: tokenOf(1) }, forceNew: true })
  t.teardown(() => socket.disconnect())
  let received = 0
  socket.on('job:j6:progress', () => { received++ })
  socket.emit('subscribe:job', 'j6')
  await until(async () => {
    await jobs.publish({ ...job('j6'), progress: 1 })
    return received > 0
  })
})

t.test('HTTP long-polling works, and is upgraded', async t => {
  const polling = await connectSocketIo(t, url, { token: tokenOf(3), transports: ['polling'] })
  const upgraded = await connectSocketIo(t, url, { token: tokenOf(3), transports: ['polling', 'websocket'] })
  await jobs.publish(...Array.from({ length: 20 }, (_, i) => ({ ...job('p1', '3'), progress: i })))
  for (const client of [polling, upgraded]) {
    await client.waitFor('job:progress', 20)
    t.same(client.of('job:progress').map(({ progress }) => progress), Array.from({ length: 20 }, (_, i) => i))
  }
})

function refusalOf (t: TestContext, token: string | undefined): Promise<Error & { data?: unknown }> {
  const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true })
  t.teardown(() => socket.disconnect())
  return new Promise(resolve => { socket.once('connect_error', resolve) })
}
