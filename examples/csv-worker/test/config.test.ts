import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../src/config.ts'

t.test('needs no variable', async t => {
  const config = readConfig({})
  t.match(config, { redisUrl: 'redis://127.0.0.1:6379', redisWaitSeconds: 30, queue: 'default', concurrency: 4 })
  t.ok(existsSync(join(config.folder, 'zipcodes.csv')))
})

t.test('takes REDIS_URL before REDIS_HOST and REDIS_PORT', async t => {
  const parts = { REDIS_HOST: 'redis.internal', REDIS_PORT: '6380' }
  t.equal(readConfig(parts).redisUrl, 'redis://redis.internal:6380')
  t.equal(
    readConfig({ ...parts, REDIS_URL: 'rediss://user:pw@cache:6381/2' }).redisUrl,
    'rediss://user:pw@cache:6381/2'
  )
})

t.test('an empty variable counts as not set', async t => {
  t.same(readConfig({ REDIS_URL: '', JOB_QUEUE: '', CSV_FOLDER: '', CONCURRENCY: '' }), readConfig({}))
})

t.test('reports all faults at once, without passwords', async t => {
  t.throws(() => readConfig({ REDIS_URL: 'http://u:secret@h', CONCURRENCY: '1.5', REDIS_WAIT_SECONDS: '0' }), {
    message: 'REDIS_WAIT_SECONDS must be a whole number from 1 to 600; ' +
      'CONCURRENCY must be a whole number from 1 to 64; ' +
      'REDIS_URL must look like redis://host:6379 or rediss://host:6379'
  })
})
