import t from 'tap'
import { userSeatsKey } from '@tidings/contracts'
import { createRedis } from '@tidings/service-kit'
import { startRedis, until, type TestContext } from '@tidings/testing'
import { createSeats } from '../../src/auth/seats.ts'

const server = await startRedis(t)
const log = { warn: () => {} }

function setup (t: TestContext, redis = server.client()) {
  const seats = createSeats({ redis, max: 3, log })
  t.teardown(seats.close)
  return seats
}

t.test('however many replicas ask at once, no more than all seats are taken', async t => {
  const replicas = [setup(t), setup(t), setup(t)]
  const taken = (await Promise.all(replicas.flatMap(seats => [1, 2, 3].map(() => seats.take('a'))))).filter(leave => leave !== undefined)
  t.ok(taken.length <= 3)
  taken.forEach(leave => { leave(); leave() })
  await until(async () => await server.client().exists(userSeatsKey('a')) === 0, { what: 'all seats given back, each once' })
})

t.test('a replica that was killed is not counted for ever', async t => {
  const admin = server.client()
  await admin.hset(userSeatsKey('b'), 'dead', `3:${Date.now() - 60_000}`)
  t.ok(await setup(t).take('b'))
  await admin.hset(userSeatsKey('c'), 'alive', `3:${Date.now()}`)
  t.notOk(await setup(t).take('c'))
})

t.test('while Redis is away the replica\'s own count decides', async t => {
  const redis = createRedis('redis://127.0.0.1:1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const seats = setup(t, redis)
  for (let i = 0; i < 3; i++) t.ok(await seats.take('d'))
  t.notOk(await seats.take('d'))
})
