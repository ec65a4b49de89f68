import { cpus, release, totalmem, type } from 'node:os'
import { root } from '@tidings/local'
import { execFileSync } from 'node:child_process'

export interface Machine { text: string, commit: string }

/** What the figures were measured on, and of which commit. */
export function machine (): Machine {
  const cores = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return {
    text: `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}, ${memory} GiB, ${type()} ${release()}, Node ${process.versions.node}`,
    commit: commitOf(root)
  }
}

function commitOf (folder: string): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown' // not a checkout
  }
}
