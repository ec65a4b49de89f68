import { appendFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder, until } from '@tidings/testing'
import t from 'tap'
import { watchLogs } from '../../src/system/log-watch.ts'

t.test('warnings and errors are reported once, as complete lines, with their error', async t => {
  const lines: string[] = []
  const logs = watchLogs(temporaryFolder(t), line => lines.push(line))
  t.teardown(logs.stop)
  const file = logs.file('jobs-api')
  appendFileSync(
    file,
    '{"level":30,"msg":"fine"}\n{"level":40,"msg":"slow"}\nno JSON\n{"level":50,"err":{"message":"gone"},"msg":"fai'
  )
  await until(() => lines.length === 1, { what: 'the warning' })
  appendFileSync(file, 'led"}\n')
  await until(() => lines.length === 2, { what: 'the error' })
  t.same(lines, ['jobs-api: warning: slow', 'jobs-api: error: failed: gone'])
})

t.test('a repeated line is reported once', async t => {
  const lines: string[] = []
  const logs = watchLogs(temporaryFolder(t), line => lines.push(line))
  appendFileSync(logs.file('edge'), '{"level":40,"msg":"still away"}\n'.repeat(5) + '{"level":40,"msg":"back"}\n')
  logs.stop()
  t.same(lines, ['edge: warning: still away', 'edge: warning: back'])
})

t.test('lines written just before the stop are reported', async t => {
  const lines: string[] = []
  const logs = watchLogs(temporaryFolder(t), line => lines.push(line))
  appendFileSync(logs.file('edge'), '{"level":60,"msg":"the end"}\n')
  logs.stop()
  t.same(lines, ['edge: fatal: the end'])
})

t.test('the logs of an earlier start are removed, and a large log is rotated', async t => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'log'))
  writeFileSync(join(folder, 'log', 'old.log'), '{"level":50,"msg":"long ago"}\n')
  const lines: string[] = []
  const logs = watchLogs(folder, line => lines.push(line))
  t.teardown(logs.stop)
  t.notOk(existsSync(join(folder, 'log', 'old.log')))

  const file = logs.file('edge')
  const line = `${'x'.repeat(1023)}\n`
  writeFileSync(file, line.repeat(33 * 1024))
  await until(() => existsSync(`${file}.1`) && statSync(file).size === 0, { what: 'the rotation of the large log' })
  appendFileSync(file, '{"level":40,"msg":"after"}\n')
  await until(() => lines.length === 1, { what: 'a warning in the emptied file' })
  t.same(lines, ['edge: warning: after'])
})
