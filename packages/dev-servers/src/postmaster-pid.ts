import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOf } from './process-table.ts'
import { ServerStartError } from './server-process.ts'

const FILE = 'postmaster.pid'
const STATUS_LINE = 7
/** Of a server that accepts writes, and of a standby that accepts reads. */
const READY = ['ready', 'standby']

/**
 * If the number in postmaster.pid belongs to another process by now (a killed container, a reboot), Postgres assumes a
 * running server and refuses to start. Only a server of this folder should prevent the start. The file is not removed
 * but gets our own pid, which Postgres recognizes as its parent's and stale: it still checks that no backend of the
 * dead server uses the shared memory that the file names.
 */
export function disownStalePid (data: string): void {
  const file = join(data, FILE)
  if (!existsSync(file)) return
  const content = readFileSync(file, 'utf8')
  const pid = Number.parseInt(content, 10)
  const command = commandOf(pid)
  if (command === undefined) return
  if (command.includes(data)) throw new ServerStartError(`a Postgres server already runs on ${data} (pid ${pid})`)
  writeFileSync(file, content.replace(/^.*/, String(process.pid)))
}

/** The state that the server writes into the file, which pg_ctl reads too. */
export function saysReady (data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, FILE), 'utf8').split('\n')
    return Number(lines[0]) === pid && READY.includes(lines[STATUS_LINE]?.trim() ?? '')
  } catch {
    return false
  }
}
