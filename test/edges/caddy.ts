import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, type System } from '@tidings/local'
import { pythonTool } from './python-tool.ts'
import { freePort, temporaryFolder, until, type TestContext } from '@tidings/testing'

const caddy = process.env.TIDINGS_TEST_CADDY ?? pythonTool('caddy')
export const skipWithoutCaddy = caddy === undefined && 'no Caddy: TIDINGS_TEST_PYTHON=true npm test installs it'

/** Starts Caddy with the project's Caddyfile in front of the services of a system, and returns its origin. */
export async function startCaddy (
  t: TestContext,
  { endpoints }: System,
  env: Record<string, string> = {}
): Promise<string> {
  const port = await freePort()
  const home = temporaryFolder(t, 'caddy')
  const hostOf = (name: string) => new URL(endpoints[name] as string)
  const child = spawn(caddy as string, ['run', '--adapter', 'caddyfile', '--config', join(
    root,
    'infra',
    'edge',
    'Caddyfile'
  )], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      SITE_ADDRESS: `:${port}`,
      SITE_OPTIONS: 'bind 127.0.0.1',
      JOBS_API_ADDRESS: hostOf('jobs-api').host,
      REALTIME_GATEWAY_NAME: '127.0.0.1',
      REALTIME_GATEWAY_PORT: hostOf('realtime-gateway-1').port,
      WEBHOOK_DISPATCHER_ADDRESS: hostOf('webhook-dispatcher').host,
      ...env
    }
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { log = (log + text).slice(-10_000) })
  const exited = new Promise<void>(resolve => { child.once('exit', () => resolve()).once('error', () => resolve()) })
  t.teardown(async () => {
    child.kill('SIGKILL') // on SIGTERM it would wait for open connections
    await exited
  })
  const origin = `http://127.0.0.1:${port}`
  await until(async () => (await fetch(`${origin}/healthz`)).ok, { what: `Caddy, which wrote ${log}` })
  return origin
}
