import { cpus, release, totalmem, type } from 'node:os'
import { root } from '@tidings/local'
import { execFileSync } from 'node:child_process'

export interface Machine { text: string, commit: string }

/** The machine and the commit that the figures belong to. */
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
    const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'ignore']
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8', stdio }).trim()
  } catch {
    return 'unknown' // not a checkout
  }
}
