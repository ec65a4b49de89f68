import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { startSystem, type System, type SystemOptions } from '@tidings/local'
import { createDatabase, temporaryFolder, type TestContext } from '@tidings/testing'
import { createClient, type Client } from 'tidings'
import { LOOKS, startBrowser } from './browser.ts'

type Database = Awaited<ReturnType<typeof createDatabase>>

/** On a machine that does much else a page takes seconds. */
const TIMEOUT_MS = 60_000
/** What a browser says about a service that is away, which a test may have stopped. */
const AWAY = /Failed to load resource: (net::|the server responded with a status of 50[234])|WebSocket connection to/

export interface Dashboard {
  system: System
  database: Database
  client: Client
  /** Opens a path below /dashboard, signed in; `isRemembered`: over reloads too. */
  open: (
    path: string, options?: BrowserContextOptions & { token?: string, isRemembered?: boolean }
  ) => Promise<Page>
  /** What pages have complained about: errors on the console, violations of the policy, exceptions. */
  faults: string[]
}

/**
 * A whole system, a browser, and a worker whose jobs take `steps` reports of progress, then fail for the reason `fail`,
 * with `once` the first time only.
 */
export async function startDashboard (t: TestContext, options: Partial<SystemOptions> = {}): Promise<Dashboard> {
  const database = await createDatabase(t)
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
      DATABASE_URL: database.url,
      EDGE_HOLD_MS: '500',
      RATE_LIMIT_MAX: '0',
      ...options.env
    }
  })
  t.teardown(() => system.stop())
  startWorker(t, system)
  const browser = await startBrowser(t)
  const faults: string[] = []
  const origin = system.endpoints.edge as string
  const client = createClient({ url: origin, token: system.token(1) })
  t.teardown(() => client.close())
  return {
    system,
    database,
    client,
    faults,
    open: async (path, { token = system.token(1), isRemembered = false, ...context } = {}) => {
      const page = await browser.newPage({ ...LOOKS.light, reducedMotion: 'reduce', ...context })
      page.setDefaultTimeout(TIMEOUT_MS)
      page.on('pageerror', err => faults.push(`${path}: ${err.stack}`))
      page.on('console', message => {
        if (message.type() === 'error' && !AWAY.test(message.text())) faults.push(`${path}: ${message.text()}`)
      })
      await page.goto(`${origin}/dashboard${path}#token=${token}${isRemembered ? '&remember=1' : ''}`)
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
