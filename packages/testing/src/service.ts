import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { TestContext } from './test-context.ts'
import { compileCache, noteProcess } from './test-run.ts'
import { until } from './until.ts'

const STOP_TIMEOUT_MS = 10_000
const READY_TIMEOUT_MS = 120_000
const OUTPUT_LIMIT = 1_000_000

export interface ServiceOptions {
  /** The file that `node` runs. */
  entry: string
  args?: string[]
  /**
   * Beside PATH, HOME and the run's compile cache this is the whole environment, so that nothing of the machine leaks
   * into a test.
   */
  env?: Record<string, string>
  cwd?: string
  /** Polled until it answers 2xx; without it the service counts as ready once it runs. */
  readyUrl?: string
  readyTimeoutMs?: number
}

export interface SpawnedService {
  pid: number
  process: ChildProcess
  /** What it wrote so far to stdout and stderr. */
  output: () => string
  exited: Promise<{ code: number | null, signal: NodeJS.Signals | null }>
  /** Sends a signal (default SIGTERM) and resolves when the process has ended. */
  kill: (signal?: NodeJS.Signals) => Promise<{ code: number | null, signal: NodeJS.Signals | null }>
}

/** Runs a service as a process of its own, as in production, and resolves when it is ready; gone with the test. */
export async function spawnService (t: TestContext, options: ServiceOptions): Promise<SpawnedService> {
  const { entry, args = [], env = {}, cwd, readyUrl, readyTimeoutMs = READY_TIMEOUT_MS } = options
  const child = spawn(process.execPath, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...compileCache(), ...env },
    ...(cwd === undefined ? {} : { cwd })
  })
  noteProcess(child)
  const output = collect(child)
  const exited = new Promise<{ code: number | null, signal: NodeJS.Signals | null }>(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  t.teardown(() => stop(child, exited))

  if (readyUrl !== undefined) await ready(child, readyUrl, { timeoutMs: readyTimeoutMs, output, entry })
  return {
    pid: child.pid as number,
    process: child,
    output,
    exited,
    kill: (signal = 'SIGTERM') => {
      child.kill(signal)
      return exited
    }
  }
}

function collect (child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', chunk => { text = (text + chunk).slice(-OUTPUT_LIMIT) })
  }
  return () => text
}

async function ready (
  child: ChildProcess,
  url: string,
  { timeoutMs, output, entry }: { timeoutMs: number, output: () => string, entry: string }
): Promise<void> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const isReady = async () => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok
  await until(async () => hasEnded() || await isReady(), { timeoutMs, what: `${url} to answer` }).catch(err => {
    throw new Error(`${entry} did not become ready. It wrote:\n${output()}`, { cause: err })
  })
  if (hasEnded()) {
    throw new Error(
    `${entry} ended (${child.exitCode ?? child.signalCode}) before it was ready. It wrote:\n${output()}`
    )
  }
}

async function stop (child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGCONT') // one that a test has frozen would not see the next signal
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
