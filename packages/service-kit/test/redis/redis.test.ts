import Fastify from 'fastify'
import t from 'tap'
import { startRedis, until } from '@tidings/testing'
import { redis } from '../../src/index.ts'

t.test('a service starts without Redis, fails commands at once, and connects once Redis is up', async t => {
  const server = await startRedis(t)
  await server.stop()
  const app = Fastify()
  app.register(redis, { url: server.url })
  t.teardown(() => app.close())
  await app.ready()
  await t.rejects(app.redis.ping())
  await server.restart()
  t.equal(await until(() => app.redis.ping()), 'PONG')
})

t.test('a Redis that hangs does not block a service', async t => {
  const server = await startRedis(t)
  const app = Fastify()
  app.register(redis, { url: server.url, options: { commandTimeout: 200 } })
  t.teardown(() => app.close())
  await app.ready()
  await until(() => app.redis.ping())
  server.pause()
  await t.rejects(app.redis.ping(), /timed out/)
  server.resume()
  t.equal(await until(() => app.redis.ping()), 'PONG')
})
