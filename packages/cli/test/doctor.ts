import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { System } from '@tidings/local'
import type { TestContext } from '@tidings/testing'
import { startFaultyProxy } from './faulty-proxy.ts'
import { cliOf } from './run-cli.ts'

interface Found { check: string, state: string, detail: string, advice?: string }

const HEALTHY = { server: 'ok', clock: 'ok', token: 'ok', sse: 'ok', websocket: 'ok', 'socket.io': 'ok' }

/** What `tidings doctor` finds in a system, and in proxies before it. */
export function testDoctor (t: Test, main: string, system: System): void {
  const edge = new URL(system.endpoints.edge as string)

  async function diagnose (t: TestContext, url: string, token = system.token(1)) {
    const { code, stdout } = await cliOf(t, main).run(['doctor', '--json', '--url', url, '--token', token])
    const found = stdout.trim().split('\n').map(line => JSON.parse(line) as Found)
    return { code, states: Object.fromEntries(found.map(({ check, state }) => [check, state])), found }
  }

  t.test('a healthy system passes, also behind a proxy that behaves', async t => {
    for (const url of [edge.origin, await startFaultyProxy(t, edge, {})]) {
      const { code, states } = await diagnose(t, url)
      t.same(states, HEALTHY)
      t.equal(code, 0)
    }
  })

  t.test('a proxy that buffers is found, and what mends it is said', async t => {
    const { code, states, found } = await diagnose(t, await startFaultyProxy(t, edge, { buffers: true }))
    t.same(states, { ...HEALTHY, sse: 'failed' })
    t.match(found.find(({ check }) => check === 'sse'), { detail: /buffers/, advice: /proxy_buffering off/ })
    t.equal(code, 1)
  })

  t.test('a proxy that blocks WebSockets is found', async t => {
    const { code, states, found } = await diagnose(t, await startFaultyProxy(t, edge, { upgrades: false }))
    t.same(states, { ...HEALTHY, websocket: 'failed' })
    t.match(found.find(({ check }) => check === 'websocket'), { advice: /Upgrade/ })
    t.equal(code, 1)
  })

  t.test('a clock that differs is found', async t => {
    const { code, states, found } = await diagnose(t, await startFaultyProxy(t, edge, { skewMs: 20 * 60_000 }))
    t.same(states, { ...HEALTHY, clock: 'failed' })
    t.match(found.find(({ check }) => check === 'clock'), { detail: /behind the server/, advice: /NTP/ })
    t.equal(code, 1)
  })

  t.test('a token that is refused, a server that is away and one that is another are found', async t => {
    const refused = await diagnose(t, edge.origin, system.token(1, -60_000))
    t.match(refused, { code: 3, states: { server: 'ok', token: 'failed' } })

    const away = await diagnose(t, 'http://127.0.0.1:1')
    t.match(away, { code: 5, states: { server: 'failed', sse: 'skipped' } })

    const other = createServer((_request, response) => { response.end('<h1>It works</h1>') })
    await new Promise<void>(resolve => { other.listen(0, '127.0.0.1', resolve) })
    t.teardown(() => { other.close() })
    const { found, code } = await diagnose(t, `http://127.0.0.1:${(other.address() as AddressInfo).port}`)
    t.match(found[0], { check: 'server', state: 'failed', detail: /something else answers: 200/ })
    t.equal(code, 5)
  })
}
