import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { freePort, spawnService, until } from '@tidings/testing'

const entry = new URL('./fixtures/service.ts', import.meta.url).pathname

t.test('SIGTERM waits for a running request, but not for connections without one', async t => {
  const port = await freePort()
  const service = await spawnService(
    t, { entry, env: { PORT: String(port) }, readyUrl: `http://127.0.0.1:${port}/readyz` }
  )
  const opened = connect(port, '127.0.0.1')
  t.teardown(() => opened.destroy())
  await once(opened, 'connect')

  const answer = fetch(`http://127.0.0.1:${port}/slow`)
  await until(() => service.output().includes('asked'), { what: 'the request to be under way' })
  const ended = service.kill('SIGTERM')
  t.equal(await (await answer).text(), 'done')
  t.same(await ended, { code: 0, signal: null })
})
