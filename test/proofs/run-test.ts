import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createRunFolder } from '@tidings/local'
import { createVerdictReader, type Verdict } from './verdict.ts'

const TIMEOUT_MS = 600_000
/** How long `until` waits: some mutations are noticed only in that nothing comes. */
const WAIT_MS = 30_000

/** A test of a file, by a part of its name. */
export type TestName = { file: string, name: string }

/** Runs tests of one file until the first failed assertion; servers that they leave behind are ended. */
export async function runTest (root: string, { file, name }: TestName, signal: AbortSignal): Promise<Verdict> {
  const folder = createRunFolder()
  const reader = createVerdictReader()
  const child = spawn(process.execPath, [file], {
    cwd: root,
    env: {
      ...withoutTap(process.env),
      TAP: '1',
      TAP_TIMEOUT: String(TIMEOUT_MS / 1000),
      ...(name !== '' && { TAP_GREP: name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&') }),
      TMPDIR: folder.tmp,
      TIDINGS_TEST_RUN: folder.notes,
      TIDINGS_TEST_WAIT_MS: String(WAIT_MS)
    },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL'
  })
  const stop = () => { child.kill('SIGKILL') }
  signal.addEventListener('abort', stop)
  createInterface({ input: child.stdout }).on('line', line => {
    reader.line(line)
    if (reader.hasCaught) stop()
  })
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    return reader.verdict(exitCode)
  } finally {
    signal.removeEventListener('abort', stop)
    await folder.clear()
  }
}

/** Without what a test that runs this one was given. */
function withoutTap (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TAP') && name !== 'NODE_OPTIONS'))
}
