import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

// Each is a program of its own, since services declare `app.config` with different types.
const PROGRAMS = ['packages/*', 'services/*', 'infra/local', 'examples/*', 'test', 'bench']

const CHECKS = [
  { name: 'tsc', args: (root: string) => ['--build', ...globSync(PROGRAMS, { cwd: root })] },
  { name: 'eslint', args: () => ['.'] },
  { name: 'oxlint', args: () => ['--type-aware', '--deny-warnings'] },
  { name: 'knip', args: () => ['--no-progress'] }
]

interface ChecksRun {
  root: string
  signal: AbortSignal
  print: (line: string) => void
}

/**
 * Runs the linters and the compiler, prints what each finds once it has ended, as tests run beside them, and returns
 * the names of those that failed.
 */
export async function runChecks ({ root, signal, print }: ChecksRun): Promise<string[]> {
  const failed: string[] = []
  for (const { name, args } of CHECKS) {
    if (signal.aborted) break
    const started = Date.now()
    const { passes, output } = await run(join(root, 'node_modules', '.bin', name), { args: args(root), root, signal })
    if (!passes && output !== '') print(output)
    print(`${passes ? 'ok' : 'not ok'} ${name} # time=${Date.now() - started}ms`)
    if (!passes) failed.push(name)
  }
  return failed
}

async function run (
  command: string,
  { args, root, signal }: { args: string[], root: string, signal: AbortSignal }
): Promise<{ passes: boolean, output: string }> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], signal })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  }
  return await new Promise((resolve, reject) => {
    child.once('error', err => { if (err.name === 'AbortError') resolve({ passes: false, output }); else reject(err) })
    child.once('close', code => resolve({ passes: code === 0, output: output.trimEnd() }))
  })
}
