import t from 'tap'
import { REPLICAS_KEY, userSessionsKey } from '@tidings/contracts'
import { createRedis } from '@tidings/service-kit'
import { startRedis, until, type TestContext } from '@tidings/testing'
import { createSessionQuota } from '../../src/admission/session-quota.ts'

const server = await startRedis(t)
const log = { warn: () => {} }

function setup (t: TestContext, redis = server.client()) {
  const quota = createSessionQuota({ redis, max: 3, log, heartbeatMs: 400 })
  t.teardown(quota.close)
  return quota
}

t.test('concurrent requests of several replicas never exceed the quota', async t => {
  const replicas = [setup(t), setup(t), setup(t)]
  const taken = (
    await Promise.all(replicas.flatMap(quota => [1, 2, 3].map(() => quota.acquire('a'))))
  ).filter(release => release !== undefined)
  t.ok(taken.length <= 3)
  taken.forEach(release => { release(); release() })
  await until(
    async () => await server.client().exists(userSessionsKey('a')) === 0,
    { what: 'all sessions to be released, each once' }
  )
})

t.test('the sessions of another replica count as long as it sends heartbeats', async t => {
  const [killed, other] = [setup(t), setup(t)]
  for (let i = 0; i < 3; i++) t.ok(await killed.acquire('b'))
  t.notOk(await other.acquire('b'))
  killed.close() // its heartbeats stop, its counts stay stored
  const release = await until(() => other.acquire('b'), { what: 'the sessions of a silent replica to be free' })
  t.type(release, 'function')
})

t.test('replicas that are silent for long are removed', async t => {
  const admin = server.client()
  await admin.zadd(REPLICAS_KEY, Date.now() - 3_600_000, 'dead')
  setup(t)
  await until(async () => await admin.zscore(REPLICAS_KEY, 'dead') === null)
})

t.test('counts that Redis has lost are stored again when it is back', async t => {
  const own = await startRedis(t)
  const quota = setup(t, own.client())
  for (let i = 0; i < 3; i++) t.ok(await quota.acquire('c'))
  await own.client().flushall()
  await own.stop()
  await own.restart()
  await until(async () => await own.client().hlen(userSessionsKey('c')) === 1)
})

t.test('while Redis is away the replica\'s own count decides', async t => {
  const redis = createRedis('redis://127.0.0.1:1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const quota = setup(t, redis)
  for (let i = 0; i < 3; i++) t.ok(await quota.acquire('d'))
  t.notOk(await quota.acquire('d'))
})
