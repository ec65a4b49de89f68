import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { startServers } from './setup.ts'

// A rejection that nobody awaits fails the test, as it would end the process.
t.test('it may be closed at whatever moment of its start', async t => {
  const { env } = await startServers(t)
  for (let afterMs = 0; afterMs < 60; afterMs += 3) {
    const app = buildApp(loadConfig(env))
    await app.ready()
    await sleep(afterMs)
    await t.resolves(app.close(), `closed after ${afterMs} ms`)
  }
})
