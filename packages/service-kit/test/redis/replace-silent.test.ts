import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startRedis, until } from '@tidings/testing'
import { createRedis } from '../../src/redis/connect.ts'
import { replaceSilent } from '../../src/redis/replace-silent.ts'

/** A way to Redis whose open connections can be made silent: nothing passes, and nothing is closed. */
async function startWay (t: Test, port: number) {
  const sockets = new Set<Socket>()
  const silent = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(port, '127.0.0.1')
    sockets.add(client)
    client.on('data', data => { if (!silent.has(client)) upstream.write(data) })
    upstream.on('data', data => { if (!silent.has(client)) client.write(data) })
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => { if (!silent.has(client)) other.destroy() })
    }
    t.teardown(() => { client.destroy(); upstream.destroy() })
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.size,
    silence: () => { for (const socket of sockets) silent.add(socket) }
  }
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
  replaceSilent(redis, 20)
  await until(async () => await redis.ping() === 'PONG')
  for (let i = 0; i < 20; i++) await redis.ping()
  t.equal(way.connections(), 1)
  redis.disconnect()
  await until(() => redis.status === 'end')
  t.equal(way.connections(), 1)
})
