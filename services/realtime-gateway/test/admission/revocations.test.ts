import t, { type Test } from 'tap'
import { REVOCATIONS_KEY } from '@tidings/contracts'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../../src/session/transport.ts'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings, type Gateway } from '../setup/gateway.ts'

const REFUSED = { code: /token_invalid|401/ }

async function revoke ({ internalUrl }: Gateway, userId: string | number): Promise<Response> {
  return await fetch(`${internalUrl}/revocations`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId })
  })
}

async function isRefused (t: Test, { url }: Gateway, token: string): Promise<void> {
  for (const kind of TRANSPORT_KINDS) await t.rejects(connect[kind](t, url, { token }), REFUSED)
}

t.test('while Redis is away a replica refuses users that were revoked before its start or since', async t => {
  const surroundings = await startSurroundings(t)
  const { redis } = surroundings
  const tokens = ['before', 'since'].map(userId => tokenOf(userId))
  const one = await startGateway(t, surroundings, { REALTIME_INTERNAL_PORT: '0' })
  await revoke(one, 'before')
  const two = await startGateway(t, surroundings)
  let notified = 0
  two.app.io.on('revoked', () => { notified++ })
  await until(async () => {
    await revoke(one, 'since')
    return notified > 0
  }, { what: 'the replicas to be connected' })

  await redis.stop()
  for (const token of tokens) await isRefused(t, two, token)
  for (const kind of TRANSPORT_KINDS) {
    t.ok(await connect[kind](t, two.url, { token: tokenOf('another') }), 'other users are admitted')
  }
})

t.test('a revocation that Redis has lost holds where it is known', async t => {
  const surroundings = await startSurroundings(t)
  const gateway = await startGateway(t, surroundings, { REALTIME_INTERNAL_PORT: '0' })
  const token = tokenOf(7)
  await revoke(gateway, 7)
  await surroundings.redis.client().hdel(REVOCATIONS_KEY, '7')
  await isRefused(t, gateway, token)
})

t.test('while Redis is away revocations and tickets get 503 with Retry-After', async t => {
  const surroundings = await startSurroundings(t)
  const gateway = await startGateway(t, surroundings, { REALTIME_INTERNAL_PORT: '0' })
  const { url } = gateway
  const authorized = { method: 'POST', headers: { authorization: `Bearer ${tokenOf(1)}` } }
  const { ticket } = await (await fetch(`${url}/auth/ticket`, authorized)).json() as { ticket: string }
  await surroundings.redis.stop()

  const answers = [
    await revoke(gateway, 1), await fetch(`${url}/auth/ticket`, authorized),
    await fetch(`${url}/events?ticket=${ticket}`)
  ]
  for (const answer of answers) {
    t.equal(answer.status, 503)
    t.ok(answer.headers.get('retry-after'))
    t.match(await answer.json(), { status: 503, type: 'urn:tidings:problem:unavailable' })
  }
  await surroundings.redis.restart()
  await until(async () => (await revoke(gateway, 1)).status === 200)
})
