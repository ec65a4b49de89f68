import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { freePort, until } from '@tidings/testing'

const entry = fileURLToPath(new URL('./fixtures/logging-service.ts', import.meta.url))
const FULL = '/dev/full'

async function start (t: Test, stdout: 'pipe' | number) {
  const port = await freePort()
  const child = spawn(process.execPath, [entry], {
    stdio: ['ignore', stdout, 'inherit'], env: { PATH: process.env.PATH, PORT: String(port) }
  })
  t.teardown(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const url = `http://127.0.0.1:${port}`
  await until(async () => (await fetch(`${url}/livez`)).ok || child.exitCode !== null)
  return { child, ask: async () => await (await fetch(`${url}/logs`)).text() }
}

t.test('a full disk behind stdout does not end a service',
  { skip: existsSync(FULL) ? false : `there is no ${FULL}` }, async t => {
    const { child, ask } = await start(t, openSync(FULL, 'w'))
    for (let i = 0; i < 50; i++) t.equal(await ask(), 'done')
    t.equal(child.exitCode, null)
  })

t.test('a closed reader of stdout does not end a service', async t => {
  const { child, ask } = await start(t, 'pipe')
  child.stdout?.destroy()
  for (let i = 0; i < 20; i++) t.equal(await ask(), 'done')
  t.equal(child.exitCode, null)
})
