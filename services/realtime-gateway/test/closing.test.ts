import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { TEST_SECRET } from '@tidings/testing'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { startSurroundings } from './setup/gateway.ts'

// A rejection that nobody awaits fails the test, as it would end the process.
t.test('it may be closed at whatever moment of its start', async t => {
  const { redis, jobs } = await startSurroundings(t)
  for (let afterMs = 0; afterMs < 60; afterMs += 3) {
    const app = buildApp(loadConfig({
      LOG_LEVEL: 'fatal',
      TOKEN_SECRET: TEST_SECRET,
      REDIS_URL: redis.url,
      JOBS_API_URL: jobs.url,
      REALTIME_DRAIN_MS: '10'
    }))
    await app.ready()
    await sleep(afterMs)
    await t.resolves(app.close(), `closed after ${afterMs} ms`)
  }
})
