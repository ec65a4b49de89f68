import { readFileSync } from 'node:fs'
import { childrenOf } from '@tidings/dev-servers'

const TICK_MS = 10 // USER_HZ is 100 on every Linux
const UTIME = 11
const STIME = 12

/** CPU time of a process and its children so far, in milliseconds; 0 where the system does not tell. */
export function cpuTime (pid: number): number {
  return ownCpuTime(pid) + childrenOf(pid).reduce((sum, child) => sum + ownCpuTime(child), 0)
}

/** Resident memory in bytes; 0 where the system does not tell. */
export function residentBytes (pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1]
  return Number(kib ?? 0) * 1024
}

function ownCpuTime (pid: number): number {
  const stat = readProc(pid, 'stat')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[UTIME] ?? 0) + Number(fields[STIME] ?? 0)) * TICK_MS
}

function readProc (pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return '' // ended, or not Linux
  }
}
