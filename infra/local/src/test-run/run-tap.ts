import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { matchingFiles } from './matching-files.ts'
import { createTapReport } from './tap-report.ts'
import type { TapCounts } from './tap-report.ts'
import type { TestFiles } from './test-files.ts'

const SCRIPT = fileURLToPath(new URL('test-files.ts', import.meta.url))

interface TapRun {
  root: string
  /** Files, folders or globs; empty for all files that `tap.include` of package.json names. */
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
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(testFiles(root, files))], {
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

type Settings = { tap: { include: string[], jobs?: number, timeout?: number } }

/** The command line `tap` reads the same settings. */
function testFiles (root: string, given: string[]): TestFiles {
  const { tap } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Settings
  const { jobs = 1, timeout = 30 } = tap
  const files = given.length === 0 ? globSync(tap.include, { cwd: root }) : given.flatMap(name => orItself(root, name))
  return { files: [...new Set(files)].sort(), jobs, timeoutMs: timeout * 1_000 }
}

/** A name without a match stays: its run fails and says so. */
function orItself (root: string, name: string): string[] {
  const files = matchingFiles(root, name)
  return files.length === 0 ? [name] : files
}
