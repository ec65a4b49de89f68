import { Redis } from 'ioredis'
import t from 'tap'
import { startRedisSentinel } from '@tidings/testing'
import { startChannels } from './all-channels.ts'

t.test('with Sentinel all channels work, also after a failover', async t => {
  const sentinel = await startRedisSentinel(t)
  const { hostname: host, port } = new URL(sentinel.url.replace('redis+sentinel', 'redis'))
  const connection = new Redis({ sentinels: [{ host, port: Number(port) }], name: 'ours', maxRetriesPerRequest: null })
  connection.on('error', () => {})
  const runJob = await startChannels(t, { REDIS_URL: sentinel.url }, { connection })
  t.ok((await runJob()).result)
  await sentinel.failOver()
  t.ok((await runJob()).result)
})
