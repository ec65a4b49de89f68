import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandOf, isAlive, startOf } from '@tidings/dev-servers'
import { root } from '../root.ts'

const SUPERVISOR = 'supervisor'
const ORPHAN_TIMEOUT_MS = 15_000
const POLL_MS = 50

export interface RunFiles {
  writePid: (name: string, pid: number) => void
  removePid: (name: string) => void
  writeEndpoints: (endpoints: Record<string, string>) => void
  /** Removes all files once no process of the system runs any more. */
  release: () => void
}

/**
 * Creates `run/` in the folder of a system: a pid file for each running child, and the URLs in use. Rejects when the
 * system of this folder is already running, and ends the processes that a killed start left running.
 */
export async function claimRunFiles (folder: string, report: (line: string) => void): Promise<RunFiles> {
  const run = join(folder, 'run')
  mkdirSync(run, { recursive: true })
  refuseSecond(folder, run)
  writeFileSync(pidFile(run, SUPERVISOR), `${process.pid}\n${startOf(process.pid)}\n`)
  await endOrphans(folder, { run, report })

  return {
    writePid: (name, pid) => writeFileSync(pidFile(run, name), `${pid}\n`),
    removePid: name => rmSync(pidFile(run, name), { force: true }),
    writeEndpoints: endpoints => {
      const text = `${JSON.stringify(endpoints, null, 2)}\n`
      writeFileSync(endpointsFile(folder), text, { mode: 0o600 }) // the URL of Postgres contains a password
    },
    release: () => rmSync(run, { recursive: true, force: true })
  }
}

/** The URLs of the system that is running in this folder; undefined when none is. */
export function runningEndpoints (folder: string): Record<string, string> | undefined {
  if (!isSupervised(join(folder, 'run')) || !existsSync(endpointsFile(folder))) return undefined
  return JSON.parse(readFileSync(endpointsFile(folder), 'utf8')) as Record<string, string>
}

function endpointsFile (folder: string): string {
  return join(folder, 'run', 'endpoints.json')
}

function refuseSecond (folder: string, run: string): void {
  if (!isSupervised(run)) return
  const edge = runningEndpoints(folder)?.edge
  const where = `pid ${readPid(run, SUPERVISOR)}${edge === undefined ? '' : `, ${edge}`}`
  throw new Error(`Tidings is already running in this folder (${where}). Stop it first.`)
}

/** The start time in the second line distinguishes the supervisor from a later process with the same pid. */
function isSupervised (run: string): boolean {
  const file = pidFile(run, SUPERVISOR)
  if (!existsSync(file)) return false
  const [pid, start = ''] = readFileSync(file, 'utf8').split('\n')
  return start !== '' && startOf(Number(pid)) === start
}

async function endOrphans (
  folder: string,
  { run, report }: { run: string, report: (line: string) => void }
): Promise<void> {
  const orphans = readdirSync(run).filter(file => file.endsWith('.pid')).map(file => file.slice(0, -'.pid'.length))
    .filter(name => name !== SUPERVISOR)
    .map(name => ({ name, pid: readPid(run, name) }))
    .filter((found): found is { name: string, pid: number } => found.pid !== undefined && isOurs(found.pid, folder))
  const names = orphans.map(({ name, pid }) => `${name} (${pid})`).join(', ')
  if (orphans.length > 0) report(`Ending processes that an earlier start left running: ${names}`)
  await Promise.all(orphans.map(end))
  for (const file of readdirSync(run)) if (file !== `${SUPERVISOR}.pid`) rmSync(join(run, file))
}

async function end ({ name, pid }: { name: string, pid: number }): Promise<void> {
  // SIGINT is the fast shutdown of Postgres; on SIGTERM it would wait for its clients.
  process.kill(pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM')
  for (const deadline = Date.now() + ORPHAN_TIMEOUT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    if (!isAlive(pid)) return
  }
  process.kill(pid, 'SIGKILL')
  while (isAlive(pid)) await sleep(POLL_MS)
}

/** Whether a pid of an earlier start is still that process, and not another one that got the same pid. */
function isOurs (pid: number, folder: string): boolean {
  const command = commandOf(pid)
  const postgres = join(folder, 'postgres')
  const places = [root, folder, existsSync(postgres) ? realpathSync(postgres) : folder]
  return command !== undefined && places.some(place => command.includes(place))
}

function readPid (run: string, name: string): number | undefined {
  const file = pidFile(run, name)
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : Number.NaN
  return Number.isInteger(pid) ? pid : undefined
}

function pidFile (run: string, name: string): string {
  return join(run, `${name}.pid`)
}
