import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { until, type TestContext } from '@tidings/testing'

/**
 * An address of this machine at which nobody answers a SYN: its queue of connections that are not accepted yet is full.
 */
export async function startBlackhole (t: TestContext, port: number): Promise<string> {
  const address = '127.0.0.66'
  const script = `
    const server = require('node:net').createServer()
    server.listen({ host: '${address}', port: ${port}, backlog: 1 }, () => {
      process.stdout.write('listening')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) // accepts nothing
    })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  await once(child.stdout, 'data')
  const fillers = Array.from({ length: 8 }, () => new Socket().on('error', () => {}))
  t.teardown(() => { for (const socket of fillers) socket.destroy() })
  let connected = 0
  for (const socket of fillers) socket.on('connect', () => { connected++ }).connect(port, address)
  await until(() => connected >= 2, { what: 'the queue to be full' })
  await sleep(200)
  return address
}
