import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { isAlive } from '@tidings/dev-servers'
import { temporaryFolder, until } from '@tidings/testing'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import t from 'tap'
import { startSystem } from '../../src/index.ts'
import { standIns } from './stand-ins.ts'

const env = { PATH: process.env.PATH, HOME: process.env.HOME }
const PROCESSES = [
  'csv-worker',
  'edge',
  'jobs-api',
  'postgres',
  'realtime-gateway-1',
  'realtime-gateway-2',
  'redis',
  'webhook-dispatcher'
]

t.test('a whole system', async t => {
  const folder = join(temporaryFolder(t, 'system'), '.local')
  const lines: string[] = []
  const system = await startSystem({
    folder,
    env,
    ports: 'free',
    gateways: 2,
    entries: standIns,
    report: line => lines.push(line)
  })
  t.teardown(() => system.stop())
  const pids = () => PROCESSES.map(name => system.process(name).pid as number)
  const pidFile = (name: string) => Number(readFileSync(join(folder, 'run', `${name}.pid`), 'utf8'))
  const askJobsApi = async () => await (await fetch(`${system.endpoints.edge}/jobs`)).json() as { pid: number }

  await t.test('runs each part as a process with a pid file and a URL in endpoints.json', async t => {
    t.same([...system.processes.keys()].toSorted(), PROCESSES)
    t.same(PROCESSES.map(pidFile), pids())
    t.equal(new Set(pids()).size, PROCESSES.length)
    t.same(JSON.parse(readFileSync(join(folder, 'run', 'endpoints.json'), 'utf8')), system.endpoints)
    t.equal((await askJobsApi()).pid, system.process('jobs-api').pid)
    t.equal((await fetch(`${system.endpoints.edge}/healthz`)).status, 200)
  })

  await t.test('restarts a killed service', async t => {
    const before = system.process('jobs-api').pid
    await system.process('jobs-api').kill()
    await system.process('jobs-api').ready()
    t.not(system.process('jobs-api').pid, before)
    t.equal(pidFile('jobs-api'), system.process('jobs-api').pid)
    t.equal((await askJobsApi()).pid, system.process('jobs-api').pid)
    t.equal(system.process('jobs-api').starts, 2)
    t.match(lines.join('\n'), 'jobs-api ended (SIGKILL) and is restarted')
  })

  await t.test('restarts killed data servers at the same address, with their data', async t => {
    const write = new Redis(system.endpoints.redis as string)
    await write.set('kept', 'yes')
    write.disconnect()
    const sql = postgres(system.endpoints.postgres as string, { onnotice: () => {} })
    await sql`create table kept as select 1 as one`
    await sql.end()

    await Promise.all([system.process('redis').kill(), system.process('postgres').kill()])
    await Promise.all([system.process('redis').ready(), system.process('postgres').ready()])
    const read = new Redis(system.endpoints.redis as string)
    t.equal(await read.get('kept'), 'yes')
    read.disconnect()
    const again = postgres(system.endpoints.postgres as string)
    t.same([...await again`select one from kept`], [{ one: 1 }])
    await again.end()
  })

  await t.test('refuses a second start in its folder, and names the running one', async t => {
    const second = startSystem({ folder, env, ports: 'free', entries: standIns })
    await t.rejects(second, {
      message: `Tidings is already running in this folder (pid ${process.pid}, ${system.endpoints.edge}). Stop it first.`
    })
  })

  await t.test('reports warnings of its children', async t => {
    await until(() => lines.includes('webhook-dispatcher: warning: stand-in runs'), {
      what: 'the warning of a stand-in'
    })
    t.pass()
  })

  await t.test('leaves no process and no file behind when it stops', async t => {
    const running = pids()
    await system.stop()
    t.same(running.filter(isAlive), [])
    t.notOk(existsSync(join(folder, 'run')))
  })
})

t.test('a taken port is reported, and nothing is left running', async t => {
  const folder = join(temporaryFolder(t, 'system'), '.local')
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const { port } = server.address() as AddressInfo

  const start = startSystem({ folder, env: { ...env, JOBS_API_PORT: String(port) }, entries: standIns })
  await t.rejects(start, { message: new RegExp(`Port ${port} \\(jobs-api\\) is taken\\.[^]*PORT=5000 npm start`) })
  t.notOk(existsSync(join(folder, 'run')))
})

t.test('a service that fails at its start fails the system with the end of its log', async t => {
  const folder = join(temporaryFolder(t, 'system'), '.local')
  const entry = join(temporaryFolder(t), 'broken.mjs')
  writeFileSync(entry, 'console.error("DATABASE_URL is no URL"); process.exit(78)')
  const start = startSystem({ folder, env, ports: 'free', entries: { ...standIns, 'webhook-dispatcher': entry } })
  await t.rejects(start, {
    message: 'webhook-dispatcher ended at its start (exit code 78). Its log ends with:\nDATABASE_URL is no URL'
  })
  t.notOk(existsSync(join(folder, 'run')))
})
