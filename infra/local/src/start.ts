// npm start [-- --once] [-- --gateways N]: starts the whole system and runs the sample job.
import { readCommandLine } from '@tidings/service-kit/command-line'
import { folder } from './folder.ts'
import { runSample } from './sample/run-sample.ts'
import { createScreen } from './sample/screen.ts'
import { ensureDashboard } from './setup/dashboard.ts'
import { readEnvironment } from './system/environment.ts'
import { startSystem } from './system/start-system.ts'
import type { System } from './system/start-system.ts'

const USER = '1'

const { values: { once, gateways } } = readCommandLine({
  usage: `
Starts the whole system and runs the sample job; Ctrl-C stops everything.

  npm start [-- --once] [-- --gateways N]

  --once        ends after the sample job: with 0, or with 1 and the reason
  --gateways N  replicas of the realtime gateway, 1 to 29: 1 by default

PORT is the port of the edge (4000 by default); .env.example has all variables.
`,
  options: { once: { type: 'boolean', default: false }, gateways: { type: 'string', default: '1' } }
})

// Writing to a terminal that was closed fails; that must not interrupt the stop.
for (const out of [process.stdout, process.stderr]) out.on('error', () => {})
const screen = createScreen(process.stdout)
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())

try {
  await run({ once, gateways: Number(gateways) })
  // Ctrl-C is the normal end, but not of a sample run, which then has not shown anything.
  if (once && stopping.signal.aborted) process.exitCode = 1
} catch (err) {
  screen.line(stopping.signal.aborted ? 'Stopped before it was ready.' : (err as Error).message)
  process.exitCode = 1
}

async function run ({ once, gateways }: { once: boolean, gateways: number }) {
  screen.line('Starting Redis, Postgres, the services, the edge and a sample worker …')
  const building = ensureDashboard(screen.line, stopping.signal)
  const system = await startSystem({
    folder,
    env: readEnvironment(),
    gateways,
    report: screen.line,
    signal: stopping.signal
  })
  try {
    welcome(system, await building)
    await sample(system, once)
    if (!once) await untilStopped()
  } finally {
    screen.line('Stopping …')
    await system.stop()
  }
}

function welcome (system: System, hasDashboard: boolean) {
  const tokens = { token: system.token(USER), refresh: system.refreshToken(USER), remember: '1' }
  screen.line('')
  screen.line(
    `Tidings is ready at ${system.endpoints.edge} (REST API and its reference at ${system.endpoints.edge}/docs)`
  )
  screen.line(`  token of user ${USER}:          ${tokens.token}`)
  screen.line(`  refresh token of user ${USER}:  ${tokens.refresh}`)
  screen.line(`  workers connect to:       ${system.endpoints.redis} (BullMQ queue "default")`)
  screen.line(`  logs:                     ${folder}/log`)
  if (hasDashboard) {
    screen.line(`  dashboard of user ${USER}, signed in by this link:`)
    screen.line(`    ${system.endpoints.edge}/dashboard/#${new URLSearchParams(tokens).toString()}`)
  }
  screen.line('')
}

/** An error ends the process with --once; otherwise it is only printed. */
async function sample (system: System, once: boolean) {
  const origin = system.endpoints.edge as string
  try {
    await runSample({ origin, token: system.token(USER), screen, signal: stopping.signal })
  } catch (err) {
    if (stopping.signal.aborted) return
    if (once) throw err
    screen.line(`The sample run failed: ${(err as Error).message}`)
  }
}

async function untilStopped () {
  if (stopping.signal.aborted) return
  screen.line('Running until Ctrl-C.')
  await new Promise<void>(resolve => { stopping.signal.addEventListener('abort', () => resolve()) })
}
