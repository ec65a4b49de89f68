import { chmodSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '@tidings/dev-servers'

const GONE_TIMEOUT_MS = 5_000
const NOTE = '.pid'

export interface RunFolder {
  path: string
  /** For temporary files of tests. */
  tmp: string
  /** For the pids of the servers that test processes start (see @tidings/testing). */
  notes: string
  /** Kills servers that test processes left running, and removes the folder. */
  clear: () => Promise<void>
}

/** Creates a folder for all files of one test run outside the checkout, so that none of them outlives the run. */
export function createRunFolder (): RunFolder {
  const path = mkdtempSync(join(tmpdir(), 'tidings-run-'))
  const tmp = join(path, 'tmp')
  const notes = join(path, 'processes')
  for (const folder of [path, tmp, notes]) {
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o755) // when started by root, Postgres runs as another user and has its data here
  }
  return {
    path,
    tmp,
    notes,
    clear: async () => {
      await killLeftovers([...notedPids(notes), ...systemPids(tmp)])
      rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

function notedPids (notes: string): number[] {
  return readdirSync(notes).filter(name => name.endsWith(NOTE)).map(name => Number(name.slice(0, -NOTE.length)))
}

/** Children of whole systems, by their pid files, which are among the temporary files of the tests. */
function systemPids (tmp: string): number[] {
  return globSync([`*/run/*${NOTE}`, `*/.local/run/*${NOTE}`], { cwd: tmp })
    .map(file => Number.parseInt(readFileSync(join(tmp, file), 'utf8'), 10))
    .filter(pid => pid > 0 && pid !== process.pid)
}

async function killLeftovers (pids: number[]): Promise<void> {
  for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL')
  for (const deadline = Date.now() + GONE_TIMEOUT_MS; pids.some(isAlive) && Date.now() < deadline;) await sleep(20)
}
