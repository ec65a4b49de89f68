import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync
} from 'node:fs'
import { basename, join } from 'node:path'

const INTERVAL_MS = 250
const LIMIT_BYTES = 32 * 1024 * 1024
const CHUNK_BYTES = 1024 * 1024
const REPEAT_MS = 10_000
const WARNING = 40
const LEVELS: Record<number, string> = { 40: 'warning', 50: 'error', 60: 'fatal' }

export interface LogWatch {
  /** The log file of a process. */
  file: (name: string) => string
  stop: () => void
}

/**
 * Watches `log/` in the folder of a system, which is emptied at each start. Children write there themselves, so that no
 * log depends on this process. JSON lines of level warning or above are reported, and a file that has grown large moves
 * to `<name>.log.1`.
 */
export function watchLogs (folder: string, reportAll: (line: string) => void): LogWatch {
  const report = withoutRepeats(reportAll)
  const logs = join(folder, 'log')
  rmSync(logs, { recursive: true, force: true })
  mkdirSync(logs, { recursive: true })

  const positions = new Map<string, number>()
  const readNew = () => {
    for (const name of readdirSync(logs).filter(name => name.endsWith('.log'))) {
      const file = join(logs, name)
      const onLine = (line: string) => reportWarning(line, { process: basename(name, '.log'), report })
      const end = readLines(file, positions.get(file) ?? 0, onLine)
      positions.set(file, end < LIMIT_BYTES ? end : rotate(file))
    }
  }
  const timer = setInterval(readNew, INTERVAL_MS)
  return {
    file: name => join(logs, `${name}.log`),
    stop: () => {
      clearInterval(timer)
      if (existsSync(logs)) readNew()
    }
  }
}

/** Passes on the complete lines after a position, and returns where they end. */
function readLines (file: string, from: number, onLine: (line: string) => void): number {
  for (let position = from; ;) {
    const { text, end } = readFrom(file, position)
    for (const line of text.split('\n')) onLine(line)
    if (end - position < CHUNK_BYTES / 2) return end
    position = end
  }
}

/** The complete lines after a position, at most one chunk, and where they end. */
function readFrom (file: string, position: number): { text: string, end: number } {
  const { size } = statSync(file)
  if (size <= position) return { text: '', end: size }
  const buffer = Buffer.alloc(Math.min(size - position, CHUNK_BYTES))
  const fd = openSync(file, 'r')
  try {
    const read = readSync(fd, buffer, 0, buffer.length, position)
    const lines = buffer.subarray(0, read).lastIndexOf(0x0a) + 1
    const isOverlong = lines === 0 && read === CHUNK_BYTES
    return { text: buffer.toString('utf8', 0, lines), end: position + (isOverlong ? read : lines) }
  } finally {
    closeSync(fd)
  }
}

/** The file is opened for appending, so its writer continues at the start of the emptied file. */
function rotate (file: string): number {
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  return 0
}

/** Reports the same line at most every ten seconds: a service that retries each second logs it each second. */
function withoutRepeats (report: (line: string) => void): (line: string) => void {
  const reportedAt = new Map<string, number>()
  return line => {
    const now = Date.now()
    if (now - (reportedAt.get(line) ?? 0) < REPEAT_MS) return
    for (const [old, at] of reportedAt) if (now - at >= REPEAT_MS) reportedAt.delete(old)
    reportedAt.set(line, now)
    report(line)
  }
}

function reportWarning (line: string, { process, report }: { process: string, report: (line: string) => void }): void {
  const level = Number(/^\{"level":(\d+),/.exec(line)?.[1] ?? 0)
  if (level < WARNING) return
  const { msg = '', err } = JSON.parse(line) as { msg?: string, err?: { message?: string } }
  report(`${process}: ${LEVELS[level] ?? level}: ${msg}${err?.message === undefined ? '' : `: ${err.message}`}`)
}
