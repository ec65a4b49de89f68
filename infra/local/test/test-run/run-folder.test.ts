import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '@tidings/dev-servers'
import t from 'tap'
import { createRunFolder } from '../../src/test-run/run-folder.ts'

t.test('processes and files that a killed test process left behind are removed with the run', async t => {
  const folder = createRunFolder()
  t.equal(statSync(folder.tmp).mode & 0o777, 0o755, 'Postgres\' own user can reach it')
  const children = ['60', '61'].map(seconds => spawn('sleep', [seconds]))
  t.teardown(() => { for (const child of children) child.kill('SIGKILL') })
  const [noted, ofSystem] = children.map(({ pid }) => pid as number)
  writeFileSync(join(folder.notes, `${noted}.pid`), '')
  const run = join(folder.tmp, 'tidings-system-x', '.local', 'run')
  mkdirSync(run, { recursive: true })
  writeFileSync(join(run, 'edge.pid'), `${ofSystem}\n`)
  writeFileSync(join(folder.notes, '999999999.pid'), '')
  writeFileSync(join(folder.tmp, 'left'), '')
  await folder.clear()
  t.same([noted, ofSystem].filter(pid => isAlive(pid as number)), [])
  t.notOk(existsSync(folder.path))
})
