import { once } from 'node:events'
import t, { type Test } from 'tap'
import { startRedis, until } from '@tidings/testing'
import { createRedis } from '../../src/redis/connect.ts'
import { replaceSilent } from '../../src/redis/replace-silent.ts'
import { startSilentWay } from '../silent-way.ts'

async function startWay (t: Test, port: number) {
  const way = await startSilentWay(t, port)
  return { ...way, url: `redis://127.0.0.1:${way.port}` }
}

t.test('a connection that nobody answers or closes is replaced', async t => {
  const server = await startRedis(t)
  const way = await startWay(t, Number(new URL(server.url).port))
  const redis = createRedis(way.url, { commandTimeout: 300 })
  t.teardown(() => redis.disconnect())
  redis.on('error', () => {})
  replaceSilent(redis, 200)
  await until(async () => await redis.ping() === 'PONG')
  way.silence()
  await t.rejects(redis.ping(), /timed out/)
  await until(async () => await redis.ping() === 'PONG')
  t.ok(way.connections() > 1)
})

t.test('a connection that is answered stays, and so does one that is closed for good', async t => {
  const server = await startRedis(t)
  const way = await startWay(t, Number(new URL(server.url).port))
  const redis = createRedis(way.url, { commandTimeout: 60_000 })
  replaceSilent(redis, 20, 60_000)
  await until(async () => await redis.ping() === 'PONG')
  for (let i = 0; i < 20; i++) await redis.ping()
  t.equal(way.connections(), 1)
  redis.disconnect()
  await until(() => redis.status === 'end')
  t.equal(way.connections(), 1)
})

for (const [kind, subscribe, publish] of [
  ['of a channel', 'subscribe', 'publish'], ['of a shard\'s channel', 'ssubscribe', 'spublish']
] as const) {
  t.test(`a subscriber ${kind}, whose commands have no timeout, is replaced and subscribed again`, async t => {
    const server = await startRedis(t)
    const way = await startWay(t, Number(new URL(server.url).port))
    const redis = createRedis(way.url)
    redis.on('error', () => {})
    const subscriber = redis.duplicate({
      enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: undefined as never
    })
    subscriber.on('error', () => {})
    t.teardown(() => { redis.disconnect(); subscriber.disconnect() })
    replaceSilent(subscriber, 100, 300)
    await subscriber[subscribe]('news')
    let received = 0
    for (const event of ['message', 'smessage']) subscriber.on(event, () => { received++ })
    const publisher = server.client()
    const isReached = async (before: number) => {
      await publisher[publish]('news', 'x')
      return received > before
    }
    await until(async () => await isReached(0))
    const reconnected = once(subscriber, 'ready')
    way.silence()
    await reconnected
    const before = received
    await until(async () => await isReached(before))
    t.pass('a message arrives over the new connection')
  })
}
