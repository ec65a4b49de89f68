import t from 'tap'
import { closeAtManyMoments } from '@tidings/testing'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { startStores } from './setup.ts'

t.test('it can be closed at any moment of its start', async t => {
  const { env } = await startStores(t)
  await closeAtManyMoments(t, () => buildApp(loadConfig(env)))
})
