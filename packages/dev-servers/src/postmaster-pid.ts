import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOf } from './process-table.ts'
import { ServerStartError } from './server-process.ts'

const FILE = 'postmaster.pid'
const STATUS_LINE = 7

/**
 * Postgres takes a postmaster.pid whose number belongs to some other process by now (a killed container, a reboot) for
 * a running server and refuses to start. Only one that really serves this folder is in the way. The file is not
 * removed but given our own number, which Postgres knows for its parent's and stale: the shared memory that the file
 * also names still has to be free of the dead server's backends.
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

/** The server's own word, from the file that pg_ctl waits on too. */
export function saysReady (data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, FILE), 'utf8').split('\n')
    return Number(lines[0]) === pid && lines[STATUS_LINE]?.trim() === 'ready'
  } catch {
    return false
  }
}
