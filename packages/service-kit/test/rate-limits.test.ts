import Fastify from 'fastify'
import t from 'tap'
import { startRedis, until, type TestContext } from '@tidings/testing'
import { problems, rateLimits } from '../src/index.ts'

async function service (t: TestContext, redisUrl: string, max: number) {
  const app = Fastify().register(problems)
  app.register(async app => {
    app.decorateRequest('user')
    app.addHook('onRequest', async request => { request.user = { userId: String(request.headers.user), issuedAt: 0, expiresAt: null } })
    await app.register(rateLimits, { name: 'test', max, redisUrl })
    app.get('/', async () => 'served')
  })
  t.teardown(() => app.close())
  await app.ready()
  return (user: string) => app.inject({ url: '/', headers: { user } })
}

t.test('who asks too often is told when to come back, over all replicas; others are served', async t => {
  const redis = await startRedis(t)
  const calls = await Promise.all([service(t, redis.url, 3), service(t, redis.url, 3)])
  const counts = async (call: (user: string) => Promise<{ headers: Record<string, unknown> }>) => (await call('warm-up')).headers['ratelimit-remaining'] !== '3'
  for (const call of calls) await until(async () => await counts(call), { what: 'Redis to be connected' })
  const answers = []
  for (const call of [...calls, ...calls]) answers.push(await call('a'))
  t.same(answers.map(({ statusCode }) => statusCode), [200, 200, 200, 429])
  t.same(answers.map(({ headers }) => headers['ratelimit-remaining']), ['2', '1', '0', '0'])
  const refused = answers[3]
  t.match(refused?.headers, { 'content-type': /problem\+json/, 'retry-after': /^\d+$/, 'ratelimit-limit': '3', 'ratelimit-reset': /^\d+$/ })
  t.match(refused?.json(), { type: 'urn:tidings:problem:too-many-requests', status: 429 })
  t.equal((await calls[0]('b')).statusCode, 200)
})

t.test('without Redis everybody is served, and with one that hangs too', async t => {
  const redis = await startRedis(t)
  const call = await service(t, redis.url, 1)
  await until(async () => (await call('a')).statusCode === 429)
  redis.pause()
  t.equal((await call('a')).statusCode, 200)
  redis.resume()
  await redis.stop()
  t.equal((await call('a')).statusCode, 200)
})
