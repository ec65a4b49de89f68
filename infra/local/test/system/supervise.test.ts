import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '@tidings/dev-servers'
import { temporaryFolder, until } from '@tidings/testing'
import t from 'tap'
import type { Test } from 'tap'
import { startNodeProcess } from '../../src/system/node-process.ts'
import { supervise } from '../../src/system/supervise.ts'

function setup (t: Test, source: string) {
  const folder = temporaryFolder(t)
  const entry = join(folder, 'child.mjs')
  writeFileSync(entry, source)
  const lines: string[] = []
  const pids: number[] = []
  const child = supervise({
    name: 'child',
    start: () => startNodeProcess({ name: 'child', entry, env: {}, log: join(folder, 'child.log') }),
    ready: async () => {},
    onStart: pid => pids.push(pid),
    onEnd: () => {},
    report: line => lines.push(line)
  })
  t.teardown(() => child.stop())
  return { child, lines, pids }
}

t.test('a child that keeps ending is restarted with growing waits', async t => {
  const { child, lines } = setup(t, 'process.exit(5)')
  await child.start()
  const started = Date.now()
  await until(() => child.starts === 4, { what: 'four starts' })
  t.ok(Date.now() - started >= 100 + 200 + 400, 'the waits grow')
  t.match(lines[0], 'child ended (exit code 5) and is restarted')
})

t.test('a killed child is restarted, and ready() waits for that', async t => {
  const { child, pids } = setup(t, 'setInterval(() => {}, 1000)')
  await child.start()
  await child.kill()
  t.equal(child.pid, undefined)
  await child.ready()
  t.equal(child.pid, pids[1])
  t.ok(isAlive(child.pid as number))
})

t.test('stop() ends the child without a restart, also during a wait', async t => {
  const { child, pids } = setup(t, 'setInterval(() => {}, 1000)')
  await child.start()
  await child.kill()
  await child.stop()
  t.equal(child.pid, undefined)
  t.same(pids.filter(isAlive), [])
  t.equal(child.starts, 1)
})
