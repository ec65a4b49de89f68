import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

// Each is a program of its own, since services declare `app.config` with different types.
const PROGRAMS = ['packages/*', 'services/*', 'infra/local', 'examples/*', 'test', 'bench']

const CHECKS = [
  { name: 'eslint', args: () => ['.'] },
  { name: 'oxlint', args: () => ['--type-aware', '--deny-warnings'] },
  { name: 'knip', args: () => ['--no-progress'] },
  { name: 'tsc', args: (root: string) => ['--build', ...globSync(PROGRAMS, { cwd: root })] }
]

/** Runs the linters and the compiler, prints what they find, and returns the names of those that failed. */
export async function runChecks (root: string, signal: AbortSignal): Promise<string[]> {
  const failed: string[] = []
  for (const { name, args } of CHECKS) {
    if (signal.aborted) break
    const started = Date.now()
    const passes = await run(join(root, 'node_modules', '.bin', name), { args: args(root), root, signal })
    console.log(`${passes ? 'ok' : 'not ok'} ${name} # time=${Date.now() - started}ms`)
    if (!passes) failed.push(name)
  }
  return failed
}

async function run (
  command: string,
  { args, root, signal }: { args: string[], root: string, signal: AbortSignal }
): Promise<boolean> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], signal })
  return await new Promise((resolve, reject) => {
    child.once('error', err => { if (err.name === 'AbortError') resolve(false); else reject(err) })
    child.once('exit', code => resolve(code === 0))
  })
}
