// npm run seed-examples: runs the code of docs/job-notifications.md against the running system, or against a new one.
import { readCommandLine } from '@tidings/service-kit/command-line'
import { folder } from './folder.ts'
import { runExamples } from './seed-examples/run-examples.ts'
import { readEnvironment } from './system/environment.ts'
import { runningEndpoints } from './system/run-files.ts'
import { readSecrets } from './system/secrets.ts'
import { startSystem } from './system/start-system.ts'
import { tokenIssuer } from './system/tokens.ts'

readCommandLine({
  usage: `
Runs the code of docs/job-notifications.md against the running system, or against one of its own.

  npm run seed-examples
`
})

const report = (line: string) => { console.log(line) }

try {
  process.exitCode = await main() === 0 ? 0 : 1
} catch (err) {
  report((err as Error).message)
  process.exitCode = 1
}

async function main (): Promise<number> {
  const env = readEnvironment()
  const running = runningEndpoints(folder)?.edge
  if (running !== undefined) {
    report(`The examples of docs/job-notifications.md against ${running}`)
    const { token } = tokenIssuer(readSecrets(folder, env), env)
    return await runExamples({ origin: running, token, report })
  }

  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  const system = await startSystem({ folder, env, report, signal: stopping.signal })
  const stop = () => { system.stop().catch(err => report(String(err))) }
  stopping.signal.addEventListener('abort', stop)
  try {
    const origin = system.endpoints.edge as string
    report(`The examples of docs/job-notifications.md against ${origin}`)
    return await runExamples({ origin, token: system.token, report })
  } finally {
    await system.stop()
  }
}
