import t from 'tap'
import { closeAtManyMoments } from '@tidings/testing'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { startServers } from './setup.ts'

t.test('the service can be closed at any moment of its start', async t => {
  const { env } = await startServers(t)
  await closeAtManyMoments(t, () => buildApp(loadConfig(env)))
})
