// npm test [-- files…]: runs lint, types and all tests, or only the tests of the given files.
import { readCommandLine } from '@tidings/service-kit/command-line'
import { root } from './root.ts'
import { ensureChromium } from './setup/chromium.ts'
import { ensureDashboard } from './setup/dashboard.ts'
import { ensurePgbouncer } from './setup/pgbouncer.ts'
import { ensurePython } from './setup/python.ts'
import { ensureRedis } from './setup/redis.ts'
import { runChecks } from './test-run/checks.ts'
import { unmatched } from './test-run/matching-files.ts'
import { runTap } from './test-run/run-tap.ts'
import { withTestEnvironment } from './test-run/test-environment.ts'

const { positionals: files } = readCommandLine({
  usage: `
Runs lint, types and all tests, or only the given test files.

  npm test [-- FILE …]

  FILE  a test file, a folder of test files, or a glob
`,
  allowPositionals: true
})
const isWhole = files.length === 0
const missing = unmatched(root, files)
if (missing.length > 0) {
  console.error(`There are no test files ${missing.join(', ')}`)
  process.exit(2)
}

const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort())

const report = (line: string) => { console.error(line) }
await ensureRedis(report)
const chromium = isWhole ? await ensureChromium(report) : undefined
const python = await ensurePython(report)
await ensureDashboard(report, stopped.signal)
await ensurePgbouncer(report)
if (isWhole && chromium === undefined) {
  report('There is no Chromium on this machine, and none could be installed without a password.')
}
if (isWhole && python === undefined) {
  report('Tests with Python are skipped; TIDINGS_TEST_PYTHON=true installs what they need.')
}

const print = (line: string) => { console.log(line) }
// The checks leave a core idle for minutes, so the tests begin beside them.
const [failedChecks, { passed, failed, skipped }] = await Promise.all([
  isWhole ? runChecks({ root, signal: stopped.signal, print }) : [],
  runTests()
])

if (skipped > 0) console.log(`${skipped} skipped`)
if (stopped.signal.aborted) console.log('The run was stopped before its end.')
if (failedChecks.length > 0) console.log(`Failed checks: ${failedChecks.join(', ')} (output above).`)
// Other programs read the last line.
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || failedChecks.length > 0 || stopped.signal.aborted ? 1 : 0

async function runTests () {
  return await withTestEnvironment(async env => await runTap({
    root,
    files,
    signal: stopped.signal,
    print,
    env: {
      ...process.env,
      ...env,
      ...(chromium === undefined ? {} : { TIDINGS_TEST_CHROMIUM: chromium }),
      TIDINGS_TEST_PYTHON: python ?? ''
    }
  }))
}
