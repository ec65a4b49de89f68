import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '@tidings/dev-servers'
import { spawnService, temporaryFolder, until } from '@tidings/testing'
import t from 'tap'
import { startSystem } from '../../src/index.ts'
import { claimRunFiles } from '../../src/system/run-files.ts'
import { standIns } from './stand-ins.ts'

const env = { PATH: process.env.PATH, HOME: process.env.HOME }

t.test('the next start in a folder ends the processes that a killed system left running', async t => {
  const home = temporaryFolder(t, 'system')
  const folder = join(home, '.local')
  const script = join(home, 'system.mjs')
  const options = JSON.stringify({ folder, ports: 'free', entries: standIns })
  writeFileSync(script, `
    import { startSystem } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
    await startSystem(${options})
  `)
  const killed = await spawnService(t, { entry: script })
  await until(() => existsSync(join(folder, 'run', 'endpoints.json')), { what: 'the first system to run' })
  const orphans = readdirSync(join(folder, 'run')).filter(name => name.endsWith('.pid') && name !== 'supervisor.pid')
    .map(name => Number(readFileSync(join(folder, 'run', name), 'utf8')))
  t.equal(orphans.length, 7)
  await killed.kill('SIGKILL')
  t.same(orphans.filter(pid => !isAlive(pid)), [], 'they outlive their supervisor')

  const lines: string[] = []
  const system = await startSystem({ folder, env, ports: 'free', entries: standIns, report: line => lines.push(line) })
  t.teardown(() => system.stop())
  t.same(orphans.filter(isAlive), [])
  t.match(lines.join('\n'), 'Ending processes that an earlier start left running')
})

t.test('a pid that now belongs to another program is left alone', async t => {
  const folder = temporaryFolder(t)
  const first = await claimRunFiles(join(folder, '.local'), () => {})
  const stranger = spawn('sleep', ['60'])
  t.teardown(() => stranger.kill('SIGKILL'))
  first.writePid('jobs-api', stranger.pid as number)
  writeFileSync(join(folder, '.local', 'run', 'supervisor.pid'), `${stranger.pid}\nlong ago\n`)
  const lines: string[] = []
  const second = await claimRunFiles(join(folder, '.local'), line => lines.push(line))
  t.ok(isAlive(stranger.pid as number))
  t.same(lines, [])
  second.release()
})

t.test('a truncated pid file does not prevent a start', async t => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'run'))
  for (const content of ['', '12', 'nonsense\n']) {
    writeFileSync(join(folder, 'run', 'supervisor.pid'), content)
    const files = await claimRunFiles(folder, () => {})
    files.release()
    mkdirSync(join(folder, 'run'))
  }
  t.pass()
})
