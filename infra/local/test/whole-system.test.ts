import { join } from 'node:path'
import { freePort, temporaryFolder, until } from '@tidings/testing'
import t from 'tap'
import { startSystem } from '../src/index.ts'
import { runSample } from '../src/sample/run-sample.ts'
import { runExamples } from '../src/seed-examples/run-examples.ts'

t.test('the real services', async t => {
  const lines: string[] = []
  const report = (line: string) => { lines.push(line) }
  const folder = join(temporaryFolder(t, 'system'), '.local')
  const env = { PATH: process.env.PATH, HOME: process.env.HOME }
  const system = await startSystem({ folder, env, ports: 'free', gateways: 3, report })
  t.teardown(() => system.stop())
  const origin = system.endpoints.edge as string

  await t.test('the three channels agree on the sample job', async t => {
    const percents: number[] = []
    const screen = { line: report, bar: (_label: string, percent: number) => { percents.push(percent) } }
    await runSample({ origin, token: system.token(1), screen, signal: AbortSignal.timeout(200_000) })
    t.equal(percents.at(-1), 100)
    t.match(lines.join('\n'), /The three channels agree: \d+ events/)
    t.match(lines.join('\n'), 'signature verified')
  })

  await t.test('the examples of the document work', async t => {
    const reported: string[] = []
    const failed = await runExamples({
      origin,
      token: system.token,
      receiverPort: await freePort(),
      report: line => reported.push(line)
    })
    t.equal(failed, 0, reported.join('\n'))
    t.equal(reported.length, 6)
  })

  await t.test('all services are ready, and described on one page', async t => {
    t.match(await (await fetch(`${origin}/healthz`)).json(), { status: 'ok' })
    const { paths } = await (await fetch(`${origin}/openapi.json`)).json() as { paths: Record<string, object> }
    t.ok(paths['/submit-job'], 'jobs-api')
    t.ok(paths['/webhooks'] ?? paths['/webhooks/'], 'webhook-dispatcher')
    t.ok(paths['/events'], 'realtime-gateway')
  })

  await t.test('three gateways share the streams of the edge', async t => {
    const leave = new AbortController()
    const headers = { authorization: `Bearer ${system.token(1)}` }
    const gateways = [...system.processes.keys()].filter(name => name.startsWith('realtime-gateway-'))
    t.equal(gateways.length, 3)
    // A gateway that did not respond to the edge in time gets no streams for a while.
    await until(async () => {
      await Promise.all(gateways.map(() => fetch(`${origin}/events`, { headers, signal: leave.signal })))
      const metrics =
        await Promise.all(gateways.map(async name => await (await fetch(`${system.endpoints[name]}/metrics`)).text()))
      return metrics.every(text => /tidings_realtime_sessions\{transport="sse"\} [1-9]/.test(text))
    }, { intervalMs: 500, what: 'a stream at each gateway' })
    leave.abort()
  })
})
