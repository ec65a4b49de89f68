import { spawn } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '@tidings/embedded'
import t from 'tap'
import { createRunFolder } from '../../src/test-run/run-folder.ts'

t.test('what a killed test process has left running and written is gone with the run', async t => {
  const folder = createRunFolder()
  t.equal(statSync(folder.tmp).mode & 0o777, 0o755, 'Postgres\' own user can reach it')
  const child = spawn('sleep', ['60'])
  t.teardown(() => child.kill('SIGKILL'))
  writeFileSync(join(folder.notes, `${child.pid}.pid`), '')
  writeFileSync(join(folder.notes, '999999999.pid'), '')
  writeFileSync(join(folder.tmp, 'left'), '')
  await folder.clear()
  t.notOk(isAlive(child.pid as number))
  t.notOk(existsSync(folder.path))
})
