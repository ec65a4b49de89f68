import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core'
import { startSystem, type System, type SystemOptions } from '@tidings/local'
import { createDatabase, temporaryFolder, type TestContext } from '@tidings/testing'
import { createClient, type Client } from 'tidings'

const executablePath = process.env.TIDINGS_TEST_CHROMIUM
export const withoutChromium = executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
/** On a machine that does much else a page takes seconds. */
const TIMEOUT_MS = 60_000
/** What a browser says about a service that is away, which a test may have stopped. */
const AWAY = /Failed to load resource: (net::|the server responded with a status of 50[234])|WebSocket connection to/

export interface Dashboard {
  system: System
  client: Client
  /** Opens a path below /dashboard, signed in. */
  open: (path: string, options?: BrowserContextOptions & { token?: string }) => Promise<Page>
  /** What pages have complained about: errors on the console, violations of the policy, exceptions. */
  faults: string[]
}

/**
 * A whole system, a browser, and a worker whose jobs take `steps` reports of progress, then fail for the reason `fail`,
 * with `once` the first time only.
 */
export async function startDashboard (t: TestContext, options: Partial<SystemOptions> = {}): Promise<Dashboard> {
  const { url: DATABASE_URL } = await createDatabase(t)
  const system = await startSystem({
    folder: temporaryFolder(t, 'dashboard'),
    ports: 'free',
    report: () => {},
    worker: false,
    ...options,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOG_LEVEL: 'warn',
      DATABASE_URL,
      EDGE_HOLD_MS: '500',
      RATE_LIMIT_MAX: '0',
      ...options.env
    }
  })
  t.teardown(() => system.stop())
  startWorker(t, system)
  const downloadsPath = temporaryFolder(t, 'chromium')
  const browser = await chromium.launch({ executablePath: executablePath as string, args: FLAGS, downloadsPath })
  t.teardown(() => browser.close())

  const faults: string[] = []
  const origin = system.endpoints.edge as string
  const client = createClient({ url: origin, token: system.token(1) })
  t.teardown(() => client.close())
  return {
    system,
    client,
    faults,
    open: async (path, { token = system.token(1), ...context } = {}) => {
      const page = await browser.newPage(context)
      page.setDefaultTimeout(TIMEOUT_MS)
      page.on('pageerror', err => faults.push(`${path}: ${err.stack}`))
      page.on('console', message => {
        if (message.type() === 'error' && !AWAY.test(message.text())) faults.push(`${path}: ${message.text()}`)
      })
      await page.goto(`${origin}/dashboard${path}#token=${token}`)
      return page
    }
  }
}

function startWorker (t: TestContext, { endpoints }: System) {
  const failed = new Set<unknown>()
  const worker = new Worker('default', async job => {
    const { steps = 2, pauseMs = 5, fail, once } = job.data as
      { steps?: number, pauseMs?: number, fail?: string, once?: boolean }
    for (let step = 1; step <= steps; step++) {
      await job.updateProgress(Math.round(step / steps * 100))
      await sleep(pauseMs)
    }
    if (fail && !(once && failed.has(job.id))) {
      failed.add(job.id)
      throw new Error(fail)
    }
    if (!job.data.large) return { steps }
    const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }
    return { total: rawJSON('9007199254740993'), rows: Array.from({ length: 20_000 }, (_, id) => ({ id })) }
  }, { connection: { url: endpoints.redis as string }, concurrency: 8 })
  worker.on('error', () => {})
  t.teardown(() => worker.close(true))
}
