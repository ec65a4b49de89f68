import Fastify from 'fastify'
import t from 'tap'
import { jwtAuth, REVOCATIONS_KEY } from '@tidings/contracts'
import { startRedis, TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { createRevocationCheck, redis, revocations } from '../src/index.ts'

const LONG_WAIT_MS = 30_000 // milliseconds that Redis may take, however slow this machine is

const issued = (seconds: number | null, userId = '7') =>
  ({ userId, issuedAt: seconds === null ? null : seconds * 1000 })

t.test('a service refuses tokens that were issued before their user was revoked', async t => {
  const server = await startRedis(t)
  const app = Fastify()
  app.register(redis, { url: server.url })
  app.register(revocations)
  app.register(jwtAuth, { settings: { TOKEN_SECRET: TEST_SECRET }, isRevoked: identity => app.isRevoked(identity) })
  app.register(async app => { app.get('/mine', { onRequest: app.authenticate }, async () => 'yes') })
  t.teardown(() => app.close())
  await app.ready()
  await until(() => app.redis.ping())
  const statusOf = async (userId: string) =>
    (await app.inject({ url: '/mine', headers: { authorization: `Bearer ${tokenOf(userId)}` } })).statusCode

  await app.redis.hset(REVOCATIONS_KEY, 'mallory', Math.floor(Date.now() / 1000) + 60)
  await until(async () => await statusOf('mallory') === 401) // until Redis has answered in time the user is allowed
  t.equal(await statusOf('alice'), 200)
})

t.test('only tokens from before the moment are void', async t => {
  const client = (await startRedis(t)).client()
  await client.hset(REVOCATIONS_KEY, '7', 1000)
  const isRevoked = createRevocationCheck(client, () => {}, LONG_WAIT_MS)
  t.equal(await isRevoked(issued(999)), true)
  t.equal(await isRevoked(issued(1000)), false)
  t.equal(await isRevoked(issued(null)), true, 'a token without a time of issue')
  t.equal(await isRevoked(issued(999, 'other')), false)
})

t.test('a known user is answered at once, and refreshed in the background after five seconds', async t => {
  const client = (await startRedis(t)).client()
  const isRevoked = createRevocationCheck(client, () => {}, LONG_WAIT_MS)
  t.equal(await isRevoked(issued(999)), false)
  await client.hset(REVOCATIONS_KEY, '7', 1000)
  t.equal(await isRevoked(issued(999)), false, 'the answer of a moment ago')
  const realNow = Date.now
  Date.now = () => realNow() + 6000
  t.teardown(() => { Date.now = realNow })
  await until(() => isRevoked(issued(999)))
})

t.test('a user who returns after more than ten seconds waits for Redis', async t => {
  const client = (await startRedis(t)).client()
  const isRevoked = createRevocationCheck(client, () => {}, LONG_WAIT_MS)
  t.equal(await isRevoked(issued(999)), false)
  await client.hset(REVOCATIONS_KEY, '7', 1000)
  const realNow = Date.now
  Date.now = () => realNow() + 60_000
  t.teardown(() => { Date.now = realNow })
  t.same(await Promise.all(Array.from({ length: 5 }, async () => await isRevoked(issued(999)))), [
    true, true, true, true, true
  ])
  t.match(await client.info('commandstats'), /cmdstat_hget:calls=2,/, 'one question for all waiting requests')
})

t.test('while Redis is away the last known answer holds, and unknown users are allowed', async t => {
  const server = await startRedis(t)
  const client = server.client({ enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  await until(() => client.hset(REVOCATIONS_KEY, '7', 1000).then(() => true))
  const faults: unknown[] = []
  const isRevoked = createRevocationCheck(client, err => faults.push(err), LONG_WAIT_MS)
  t.equal(await isRevoked(issued(999)), true)
  await server.stop()
  t.equal(await isRevoked(issued(999)), true)
  const realNow = Date.now
  Date.now = () => realNow() + 60_000
  t.teardown(() => { Date.now = realNow })
  t.equal(await isRevoked(issued(999)), true, 'however old it is')
  t.equal(await isRevoked(issued(999, 'other')), false)
  t.ok(faults.length > 0)
})

t.test('after an outage the answer of Redis applies within ten seconds', async t => {
  const server = await startRedis(t, { appendonly: true })
  const client = server.client({ enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  await until(() => client.hset(REVOCATIONS_KEY, '7', 1000).then(() => true))
  const isRevoked = createRevocationCheck(client, () => {}, LONG_WAIT_MS)
  t.equal(await isRevoked(issued(1500)), false)
  await server.stop()
  const realNow = Date.now
  let passed = 60_000
  Date.now = () => realNow() + passed
  t.teardown(() => { Date.now = realNow })
  t.equal(await isRevoked(issued(1500)), false)
  await server.restart()
  await until(() => client.hset(REVOCATIONS_KEY, '7', 2000).then(() => true))
  passed += 10_000
  t.equal(await isRevoked(issued(1500)), true)
})
