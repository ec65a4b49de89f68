// node test-files.ts <options as JSON>: runs test files, several at a time, and writes their TAP to stdout.
import type { ChildProcess } from 'node:child_process'
import t from 'tap'

/** What run-tap.ts gives this script. */
export interface TestFiles {
  /** Relative to the working directory. */
  files: string[]
  jobs: number
  timeoutMs: number
}

const { files, jobs, timeoutMs } = JSON.parse(process.argv[2] as string) as TestFiles

t.jobs = jobs
t.setTimeout(0) // each file has its own
const started: { proc: ChildProcess | null }[] = []
t.on('spawn', file => started.push(file))
process.once('SIGTERM', () => {
  t.endAll() // it leaves processes of files beside the first
  for (const { proc } of started) proc?.kill('SIGKILL')
  process.exit(1)
})
const env = { ...process.env, TAP_CHILD_ID: '1', TAP_TIMEOUT: String(timeoutMs / 1_000) }
// Tap adds a loader for coverage to NODE_OPTIONS, which slows down a test file and every service that it starts.
await Promise.all(files.map(file => t.spawn('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, file], {
  name: file,
  at: null, // a failure is the file's, not this script's
  stack: '',
  env,
  buffered: true,
  timeout: timeoutMs,
  stdio: 'inherit'
})))
