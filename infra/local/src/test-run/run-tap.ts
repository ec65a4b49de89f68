import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createTapReport } from './tap-report.ts'
import type { TapCounts } from './tap-report.ts'

interface TapRun {
  root: string
  /** Empty for all files that `tap.include` of package.json names. */
  files: string[]
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  print: (line: string) => void
  /** What happens to the stderr of the test processes. */
  stderr?: 'inherit' | 'ignore'
}

/** Runs tap over the files and returns the counts. */
export async function runTap ({ root, files, env, signal, print, stderr = 'inherit' }: TapRun): Promise<TapCounts> {
  const report = createTapReport(print)
  const child = spawn(join(root, 'node_modules', '.bin', 'tap'), ['--reporter=tap', '--no-color', ...files], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', stderr]
  })
  const stop = () => { child.kill('SIGTERM') }
  signal.addEventListener('abort', stop)

  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  createInterface({ input: child.stdout }).on('line', line => report.line(line))
  try {
    return report.finish(await closed)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
