import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../root.ts'

/** A build takes some seconds, on a loaded machine some more. */
const TIMEOUT_MS = 120_000

/**
 * Builds the dashboard unless it is built, in a process of its own, whose memory is free afterwards. Returns whether it
 * is there: without it everything else works.
 */
export async function ensureDashboard (report: (line: string) => void, signal?: AbortSignal): Promise<boolean> {
  const script = join(root, 'packages', 'dashboard', 'scripts', 'build.ts')
  const child = spawn(process.execPath, [script], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TIMEOUT_MS,
    ...(signal && { signal })
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-4000) })
  const code = await new Promise<number | string | null>(resolve => {
    child.once('error', err => resolve(err.message))
    child.once('close', (code, killed) => resolve(code ?? killed))
  })
  if (code === 0 || signal?.aborted) return code === 0
  report(`The dashboard could not be built (${code}), so /dashboard says so; all else works. The build wrote:\n${said}`)
  return false
}
