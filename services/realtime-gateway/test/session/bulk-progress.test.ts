import t from 'tap'
import { bulkProgressChannel } from '@tidings/contracts'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../../src/session/transport.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'
import { connect } from '../setup/transports.ts'

const surroundings = await startSurroundings(t)
const { app, url } = await startGateway(t, surroundings)
const publisher = surroundings.redis.client()
const channel = bulkProgressChannel(0)
const publish = async (message: unknown) =>
  await publisher.publish(channel, typeof message === 'string' ? message : JSON.stringify(message))
await until(async () => (await publish('')) === 1, { what: 'the gateway to subscribe' })

const progress = {
  bulkId: '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17',
  action: 'retry',
  state: 'running',
  matched: 10,
  done: 4,
  failed: 0,
  skipped: 0
}

for (const kind of TRANSPORT_KINDS) {
  t.test(`${kind}: sessions of the user receive the progress of bulk actions, others do not`, async t => {
    const userId = `user-${kind}`
    const session = { token: tokenOf(userId) }
    const [own, other, operator] = [
      await connect[kind](t, url, session),
      await connect[kind](t, url, { token: tokenOf(`other-${kind}`) }),
      await connect[kind](t, url, { token: tokenOf('op', { scope: 'operator:read' }), userId })
    ]
    const readers = await connect[kind](t, url, { token: tokenOf(userId, { scope: 'jobs:read' }) })
    for (const client of [own, other, operator, readers]) await client.waitFor('session')
    await publish({ userId, progress: { ...progress, action: 'redeliver' } })
    await publish({ userId, progress })
    for (const client of [own, operator]) {
      t.same((await client.waitFor('bulk:progress', 2))[1], progress)
    }
    t.same(await readers.waitFor('bulk:progress'), [progress], 'redeliveries need webhooks:read')
    t.same(other.of('bulk:progress'), [])
  })
}

t.test('anything else on the channel is dropped and counted', async t => {
  const userId = 'junk'
  const client = await connect.websocket(t, url, { token: tokenOf(userId) })
  await client.waitFor('session')
  const malformed = async () => {
    const [line = ''] = (await app.inject('/metrics')).body.split('\n')
      .filter(text => text.startsWith('tidings_realtime_malformed_messages_total'))
    return Number(line.split(' ').at(-1))
  }
  const before = await malformed()
  const junk = [
    'junk',
    '[]',
    { userId },
    { userId, progress: { ...progress, event: 'job:completed' } },
    { userId, progress: { ...progress, done: -1 } },
    { userId, progress: { ...progress, bulkId: 'x'.repeat(3000) } }
  ]
  for (const message of junk) await publish(message)
  await publish({ userId, progress })
  t.same(await client.waitFor('bulk:progress'), [progress])
  t.equal(await malformed() - before, junk.length)
})
