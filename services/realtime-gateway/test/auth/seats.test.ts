import t from 'tap'
import { REPLICAS_KEY, userSessionsKey } from '@tidings/contracts'
import { createRedis } from '@tidings/service-kit'
import { startRedis, until, type TestContext } from '@tidings/testing'
import { createSeats } from '../../src/auth/seats.ts'

const server = await startRedis(t)
const log = { warn: () => {} }

function setup (t: TestContext, redis = server.client()) {
  const seats = createSeats({ redis, max: 3, log, signMs: 400 })
  t.teardown(seats.close)
  return seats
}

t.test('however many replicas ask at once, no more than all seats are taken', async t => {
  const replicas = [setup(t), setup(t), setup(t)]
  const taken = (await Promise.all(replicas.flatMap(seats => [1, 2, 3].map(() => seats.take('a'))))).filter(leave => leave !== undefined)
  t.ok(taken.length <= 3)
  taken.forEach(leave => { leave(); leave() })
  await until(async () => await server.client().exists(userSessionsKey('a')) === 0, { what: 'all seats given back, each once' })
})

t.test('what another replica holds counts for as long as that gives signs of life', async t => {
  const [killed, other] = [setup(t), setup(t)]
  for (let i = 0; i < 3; i++) t.ok(await killed.take('b'))
  t.notOk(await other.take('b'))
  killed.close() // its signs of life end, its seats stay written down
  const leave = await until(() => other.take('b'), { what: 'the seats of one that is silent' })
  t.type(leave, 'function')
})

t.test('replicas that are long silent are forgotten', async t => {
  const admin = server.client()
  await admin.zadd(REPLICAS_KEY, Date.now() - 3_600_000, 'dead')
  setup(t)
  await until(async () => await admin.zscore(REPLICAS_KEY, 'dead') === null)
})

t.test('seats that Redis has lost are written down anew when it is back', async t => {
  const own = await startRedis(t)
  const seats = setup(t, own.client())
  for (let i = 0; i < 3; i++) t.ok(await seats.take('c'))
  await own.client().flushall()
  await own.stop()
  await own.restart()
  await until(async () => await own.client().hlen(userSessionsKey('c')) === 1)
})

t.test('while Redis is away the replica\'s own count decides', async t => {
  const redis = createRedis('redis://127.0.0.1:1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const seats = setup(t, redis)
  for (let i = 0; i < 3; i++) t.ok(await seats.take('d'))
  t.notOk(await seats.take('d'))
})
