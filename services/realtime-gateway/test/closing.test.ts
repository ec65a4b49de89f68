import t from 'tap'
import { closeAtManyMoments, TEST_SECRET } from '@tidings/testing'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { startSurroundings } from './setup/gateway.ts'

t.test('it may be closed at whatever moment of its start', async t => {
  const { redis, jobs } = await startSurroundings(t)
  await closeAtManyMoments(t, () => buildApp(loadConfig({
    LOG_LEVEL: 'fatal',
    TOKEN_SECRET: TEST_SECRET,
    REDIS_URL: redis.url,
    JOBS_API_URL: jobs.url,
    REALTIME_DRAIN_MS: '10'
  })))
})
