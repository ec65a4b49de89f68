import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Webhook } from 'standardwebhooks'
import t from 'tap'

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`

t.test('prints events, and exits with 0 on SIGTERM', async t => {
  const server = run(t, { PORT: '0', WEBHOOK_SECRET: SECRET })
  const [line] = await once(server.process.stdout.setEncoding('utf8'), 'data')
  const url = String(line).match(/http:\S+/)?.[0] ?? ''
  t.match(url, /^http:\/\/localhost:\d+\/webhook$/)

  const events = [
    { id: '123', jobname: 'a', userId: 1, progress: 75, eventType: 'progress' },
    { id: '123', jobname: 'a', userId: 1, result: { rows: 2 }, eventType: 'completed' },
    { id: '124', jobname: 'a', userId: 1, error: 'no such file', eventType: 'failed' },
    { id: '125', jobname: 'a', userId: 1, eventType: 'something new' }
  ]
  for (const [n, event] of events.entries()) t.equal(await post(url, `msg_${n}`, event), 200)

  server.process.kill('SIGTERM')
  t.same(await server.exited, [0, null])
  t.same((await server.stdout).trim().split('\n').slice(1), [
    'Job 123 progress: 75', 'Job 123 completed: { rows: 2 }', 'Job 124 failed: no such file'])
})

t.test('reports a missing secret', async t => {
  const server = run(t, { PORT: '0' })
  t.same(await server.exited, [1, null])
  t.equal(
    await server.stderr,
    'express-receiver: WEBHOOK_SECRET is missing: the secret (whsec_…) that POST /webhooks returned\n'
  )
})

t.test('reports that its port is taken', async t => {
  const other = createServer().listen(0)
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo

  const server = run(t, { PORT: String(port), WEBHOOK_SECRET: SECRET })
  t.same(await server.exited, [1, null])
  t.match(await server.stderr, new RegExp(`^express-receiver: listen EADDRINUSE: address already in use .*${port}\n$`))
})

function run (t: { teardown: (fn: () => unknown) => unknown }, env: Record<string, string>) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../src/server.ts', import.meta.url))], { env })
  const exited = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  return { process: child, exited, stdout: text(child.stdout), stderr: text(child.stderr) }
}

async function post (url: string, id: string, event: object) {
  const body = JSON.stringify(event)
  const now = new Date()
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(SECRET).sign(id, now, body)
    },
    body
  })
  return response.status
}
