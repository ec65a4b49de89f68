import { generateKeyPairSync, sign } from 'node:crypto'
import { io } from 'socket.io-client'
import t from 'tap'
import { startReceiver, TEST_SECRET, tokenOf as sharedTokenOf, until } from '@tidings/testing'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

const HEADER = { alg: 'ES256', kid: 'one' }
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function tokenOf (userId: number): string {
  const parts = [HEADER, { userId, exp: Math.floor(Date.now() / 1000) + 3600 }].map(
    part => Buffer.from(JSON.stringify(part)).toString('base64url')
  )
  const signature = sign('sha256', Buffer.from(parts.join('.')), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return [...parts, signature.toString('base64url')].join('.')
}

t.test('while the keys are unreachable no token is called invalid, and clients reconnect by themselves', async t => {
  const keys = await startReceiver(t, (_request, response) => {
    response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...HEADER, use: 'sig' }] }))
  })
  const { url } = await startGateway(t, await startSurroundings(t), { JWKS_URL: keys.url })
  await keys.stop()
  for (const kind of ['websocket', 'sse'] as const) {
    await t.rejects(connect[kind](t, url, { token: tokenOf(7) }), { code: '503' })
  }

  const socket = io(
    url,
    {
      auth: { token: tokenOf(7) },
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200
    }
  )
  t.teardown(() => socket.disconnect())
  const session = new Promise(resolve => { socket.once('session', resolve) })
  let attempts = 0
  socket.io.on('reconnect_attempt', () => { attempts++ })
  await until(() => attempts > 1, { what: 'the client to reconnect' })
  await keys.start()
  t.match(await session, { userId: 7 })
  for (const kind of ['websocket', 'sse'] as const) t.ok(await connect[kind](t, url, { token: tokenOf(7) }))
})

t.test('auth:refresh with a token that cannot be verified now is kept until it can', async t => {
  const keys = await startReceiver(t, (_request, response) => {
    response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...HEADER, use: 'sig' }] }))
  })
  const { url, app } = await startGateway(
    t, await startSurroundings(t), { JWKS_URL: keys.url, TOKEN_SECRET: TEST_SECRET }
  )
  await keys.stop()
  const clients = await Promise.all(
    (['socket.io', 'websocket'] as const).map(kind => connect[kind](t, url, { token: sharedTokenOf(7) }))
  )
  const [asking, silent] = clients as [typeof clients[0], typeof clients[0]]
  t.match(await asking?.command('auth:refresh', tokenOf(7)), { ok: false, error: 'unavailable', retrying: true })
  silent?.emit('auth:refresh', tokenOf(7))
  await keys.start()
  for (const client of clients) {
    t.match(await client.waitFor('auth:refreshed'), [{ expiresAt: Number }])
    t.same(client.of('auth:error'), [])
  }
  t.ok(app.hub.sessions.every(({ token }) => token !== sharedTokenOf(7)))
})
