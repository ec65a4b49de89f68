import { join } from 'node:path'
import { createDatabase, freePort, startRedis, temporaryFolder } from '@tidings/testing'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import t from 'tap'
import type { Test } from 'tap'
import { postgresServer, redisServer } from '../../src/system/data-servers.ts'
import { fixedPorts } from '../../src/system/ports.ts'
import { readSecrets } from '../../src/system/secrets.ts'

function options (t: Test, env: NodeJS.ProcessEnv) {
  const folder = temporaryFolder(t, 'data')
  return {
    env,
    folder,
    ports: fixedPorts({}, 1),
    secrets: readSecrets(folder, {}),
    log: (name: string) => join(folder, `${name}.log`)
  }
}

t.test('both servers are embedded by default', async t => {
  const given = options(t, { DATABASE_URL: 'file:./dev.db' })
  const redis = await redisServer(given)
  t.equal(redis.url, `redis://:${given.secrets.REDIS_PASSWORD}@127.0.0.1:4079`)
  t.equal(redis.embedded?.port, 4079)
  const database = await postgresServer(given)
  t.equal(database.url, `postgres://tidings:${given.secrets.POSTGRES_PASSWORD}@127.0.0.1:4032/tidings`)
  t.equal(database.embedded?.port, 4032)
})

t.test('running servers are used', async t => {
  const redis = await startRedis(t)
  const { url } = await createDatabase(t)
  t.equal((await redisServer(options(t, { REDIS_URL: redis.url }))).embedded, undefined)
  t.equal(
    (await redisServer(options(t, { REDIS_HOST: 'localhost', REDIS_PORT: String(redis.port) }))).embedded,
    undefined
  )
  t.same(await postgresServer(options(t, { DATABASE_URL: url })), { url, embedded: undefined })
})

t.test('servers on other machines are used, whether they respond or not', async t => {
  t.same(await redisServer(options(t, { REDIS_URL: 'rediss://redis.example:6380/1' })), {
    url: 'rediss://redis.example:6380/1',
    embedded: undefined
  })
  t.same(await redisServer(options(t, { REDIS_HOST: 'redis.example' })), {
    url: 'redis://redis.example:6379',
    embedded: undefined
  })
  t.same(await postgresServer(options(t, { DATABASE_URL: 'postgres://u:p@db.example/app' })), {
    url: 'postgres://u:p@db.example/app',
    embedded: undefined
  })
})

t.test('a loopback address where nothing listens gets the embedded server, with the given password', async t => {
  const given = options(t, {
    REDIS_URL: `redis://:secret@localhost:${await freePort()}`,
    DATABASE_URL: `postgres://app:it%27s@localhost:${await freePort()}/shop`
  })
  const redis = await redisServer(given)
  const redisProcess = await redis.embedded?.start()
  t.teardown(() => redisProcess?.stop())
  const client = new Redis(redis.url)
  t.equal(await client.ping(), 'PONG')
  client.disconnect()
  const stranger = new Redis({
    host: '127.0.0.1',
    port: redis.embedded?.port as number,
    lazyConnect: true,
    retryStrategy: null
  })
  stranger.on('error', () => {})
  await t.rejects(stranger.get('x'))
  stranger.disconnect()

  const database = await postgresServer(given)
  const postgresProcess = await database.embedded?.start()
  t.teardown(() => postgresProcess?.stop())
  const sql = postgres(database.url)
  t.same([...await sql`select current_user::text as user, current_database()::text as database`], [
    { user: 'app', database: 'shop' }
  ])
  await sql.end()
})

t.test('an invalid URL is refused with the name of its variable', async t => {
  await t.rejects(redisServer(options(t, { REDIS_URL: 'nonsense' })), { message: 'REDIS_URL is not a URL: nonsense' })
  await t.rejects(postgresServer(options(t, { DATABASE_URL: 'nonsense' })), {
    message: 'DATABASE_URL is not a URL: nonsense'
  })
})
