import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const START_TICKS = 19 // counted from the state, as statOf does; field 22 of proc_pid_stat(5)

/** Whether a process with this id runs, under any user. A zombie does not run. */
export function isAlive (pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM'
  }
  return !isZombie(pid)
}

/**
 * The command line of a running process, or undefined if there is none. A pid alone is not enough after a crash: it may
 * belong to another process by now.
 */
export function commandOf (pid: number): string | undefined {
  if (!isAlive(pid)) return undefined
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 }).trim()
  } catch {
    return undefined
  }
}

/**
 * When a running process started, as the system writes it: two processes that had the same pid differ in it.
 */
export function startOf (pid: number): string | undefined {
  if (!isAlive(pid)) return undefined
  try {
    if (process.platform === 'linux') return statOf(pid)[START_TICKS]
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 }).trim()
  } catch {
    return undefined
  }
}

/** The running direct children of a process. */
export function childrenOf (pid: number): number[] {
  return processes().filter(({ parent }) => parent === pid).map(found => found.pid)
}

function processes (): { pid: number, parent: number }[] {
  if (process.platform === 'linux') {
    return readdirSync('/proc').filter(name => /^\d+$/.test(name))
      .map(name => ({ pid: Number(name), parent: Number(statOf(Number(name))[1]) }))
  }
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8', timeout: 5_000 }).trim().split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0]) => ({ pid, parent }))
}

function isZombie (pid: number): boolean {
  return process.platform === 'linux' && statOf(pid)[0] === 'Z'
}

/** State, parent and so on; empty if the process has ended. */
function statOf (pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // They follow the command's name, which is in parentheses and may contain any character.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
