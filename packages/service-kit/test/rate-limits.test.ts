import Fastify from 'fastify'
import t from 'tap'
import { startRedis, until, type TestContext } from '@tidings/testing'
import { problems, rateLimits } from '../src/index.ts'

/**
 * A count waits for Redis however slow the machine is: the URL's timeout takes precedence over the default of 100 ms.
 */
const patient = (url: string) => `${url}?commandTimeout=none`

async function service (t: TestContext, redisUrl: string, max: number) {
  const app = Fastify().register(problems)
  app.register(async app => {
    app.decorateRequest('user')
    app.addHook('onRequest', async request => {
      request.user = {
        userId: String(request.headers.user),
        issuedAt: 0,
        expiresAt: null,
        acceptedUntil: null,
        scopes: [],
        scopeBits: 0
      }
    })
    await app.register(rateLimits, { name: 'test', max, redisUrl })
    app.get('/', async () => 'served')
  })
  t.teardown(() => app.close())
  await app.ready()
  return (user: string) => app.inject({ url: '/', headers: { user } })
}

t.test('a user above the limit of all replicas gets a 429 with Retry-After; others are served', async t => {
  const redis = await startRedis(t)
  const calls = await Promise.all([service(t, patient(redis.url), 3), service(t, patient(redis.url), 3)])
  const counts = async (call: (user: string) => Promise<{ headers: Record<string, unknown> }>) =>
    (await call('warm-up')).headers['ratelimit-remaining'] !== '3'
  for (const call of calls) await until(async () => await counts(call), { what: 'Redis to be connected' })
  const answers = []
  for (const call of [...calls, ...calls]) answers.push(await call('a'))
  t.same(answers.map(({ statusCode }) => statusCode), [200, 200, 200, 429])
  t.same(answers.map(({ headers }) => headers['ratelimit-remaining']), ['2', '1', '0', '0'])
  const refused = answers[3]
  t.match(refused?.headers, {
    'content-type': /problem\+json/, 'retry-after': /^\d+$/, 'ratelimit-limit': '3', 'ratelimit-reset': /^\d+$/
  })
  t.match(refused?.json(), { type: 'urn:tidings:problem:too-many-requests', status: 429 })
  t.equal((await calls[0]('b')).statusCode, 200)
})

t.test('far from the limit requests are reported together; near it the count is exact', async t => {
  const redis = await startRedis(t)
  const client = redis.client()
  const [a, b] = await Promise.all([service(t, patient(redis.url), 400), service(t, patient(redis.url), 400)])
  for (const call of [a, b]) {
    await until(
      async () => (await call('warm-up')).headers['ratelimit-remaining'] !== '400', { what: 'Redis to be connected' }
    )
  }
  const counted = async () => Number(await client.get('{tidings}:rate:test:busy') ?? 0)

  for (let i = 0; i < 30; i++) await a('busy')
  await until(async () => await counted() >= 21, { what: 'a twentieth of the limit to be reported together' })
  await until(async () => await counted() === 30, { what: 'the rest to be reported within a second or so' })
  t.equal((await b('busy')).headers['ratelimit-remaining'], '369', 'the other replica counts them')

  const statuses = []
  for (let i = 31; i < 405; i++) statuses.push((await a('busy')).statusCode)
  t.equal(statuses.filter(status => status === 200).length, 369)
  t.same(statuses.slice(369), [429, 429, 429, 429, 429])
})

t.test('requests at the same time are each counted once', async t => {
  const redis = await startRedis(t)
  const call = await service(t, patient(redis.url), 10)
  await until(
    async () => (await call('warm-up')).headers['ratelimit-remaining'] !== '10', { what: 'Redis to be connected' }
  )
  const answers = await Promise.all(Array.from({ length: 14 }, () => call('a')))
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 10)
  t.same(answers.map(({ headers }) => Number(headers['ratelimit-remaining'])).sort((x, y) => x - y), [
    0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
  ])
})

t.test('every request is served without Redis, or with one that hangs', async t => {
  const redis = await startRedis(t)
  const call = await service(t, redis.url, 1)
  await until(async () => (await call('a')).statusCode === 429)
  redis.pause()
  t.equal((await call('a')).statusCode, 200)
  redis.resume()
  await redis.stop()
  t.equal((await call('a')).statusCode, 200)
})
