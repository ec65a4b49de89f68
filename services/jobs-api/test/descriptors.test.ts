import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort, until } from '@tidings/testing'
import { startServers } from './setup.ts'

const entry = fileURLToPath(new URL('../src/server.ts', import.meta.url))
const DESCRIPTORS = 120
/** The timers of a process that read something do so every second. */
const TIMERS_MS = 2500

t.test('a process without a free file descriptor survives, and continues once it has some', async t => {
  const { env } = await startServers(t)
  const port = await freePort()
  const child = spawn('/bin/sh', ['-c', `ulimit -n ${DESCRIPTORS} && exec "$0" "$1"`, process.execPath, entry], {
    env: { PATH: process.env.PATH, ...env, LOG_LEVEL: 'warn', JOBS_API_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  }
  t.teardown(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(2000), headers: { connection: 'close' }
  })).ok
  await until(isReady)

  const sockets = Array.from({ length: DESCRIPTORS }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await until(async () => !await isReady().catch(() => false), { what: 'it to take no more connections' })
  await sleep(TIMERS_MS)
  t.equal(child.exitCode, null, output)
  for (const socket of sockets) socket.destroy()
  t.ok(await until(isReady))
})
