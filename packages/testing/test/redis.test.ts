import t from 'tap'
import { startRedis, until } from '../src/index.ts'

t.test('a Redis for one test', async t => {
  const redis = await startRedis(t)
  const client = redis.client()

  await t.test('answers', async t => {
    t.equal(await client.set('a', '1'), 'OK')
    t.match(redis.url, /^redis:\/\/127\.0\.0\.1:\d+$/)
  })

  await t.test('keeps its data after SIGKILL and a restart on the same port', async t => {
    await client.set('kept', 'yes')
    await client.bgrewriteaof()
    // appendfsync everysec writes at once and syncs later: a killed process loses nothing that the kernel has.
    await redis.kill()
    await redis.restart()
    t.equal(await redis.client().get('kept'), 'yes')
  })

  await t.test('is silent while paused and continues afterwards', async t => {
    const silent = redis.client({ commandTimeout: 100, maxRetriesPerRequest: 0 })
    await until(() => silent.status === 'ready', { what: 'the client to be ready' })
    redis.pause()
    await t.rejects(silent.ping(), { message: 'Command timed out' })
    redis.resume()
    t.equal(await redis.client().ping(), 'PONG')
  })
})
