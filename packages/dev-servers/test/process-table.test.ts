import { spawn } from 'node:child_process'
import t from 'tap'
import { childrenOf, commandOf, isAlive, startOf } from '../src/index.ts'

t.test('a running process has a command and a parent, and none when it has ended', async t => {
  const child = spawn('sleep', ['54.321'])
  const pid = child.pid as number
  t.teardown(() => child.kill('SIGKILL'))
  t.ok(isAlive(pid))
  t.equal(commandOf(pid), 'sleep 54.321')
  t.ok(childrenOf(process.pid).includes(pid))
  t.ok(startOf(pid))
  t.equal(startOf(pid), startOf(pid))
  t.not(startOf(pid), startOf(process.pid))

  const exited = new Promise(resolve => { child.once('exit', resolve) })
  child.kill('SIGKILL')
  await exited
  t.notOk(isAlive(pid))
  t.equal(commandOf(pid), undefined)
  t.equal(startOf(pid), undefined)
  t.notOk(childrenOf(process.pid).includes(pid))
})
