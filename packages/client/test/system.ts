import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'
import { serviceOf, startSystem, type System } from '@tidings/local'
import { temporaryFolder, type TestContext } from '@tidings/testing'
import type { WebSocketConstructor } from '../src/index.ts'

/**
 * A whole system with a worker whose job `count` reports progress from 1 to `to`, gone with the test. It fails for the
 * reason `fail`, with `once` the first time only. `size`: of a text in its result.
 */
export async function startCounting (t: TestContext, env: Record<string, string> = {}): Promise<System> {
  const system = await startSystem({
    folder: temporaryFolder(t, 'client'),
    ports: 'free',
    report: () => {},
    worker: false,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', JWT_CLOCK_TOLERANCE: '0', ...env }
  })
  t.teardown(() => system.stop())
  const seen = new Set<unknown>()
  const worker = new Worker('default', async job => {
    const { to = 3, pauseMs = 2, fail, once, size } = job.data as
      { to?: number, pauseMs?: number, fail?: string, once?: boolean, size?: number }
    for (let n = 1; n <= to; n++) {
      await job.updateProgress(n)
      if (pauseMs > 0) await sleep(pauseMs)
    }
    if (fail && !(once && seen.has(job.id))) {
      seen.add(job.id)
      throw new Error(fail)
    }
    return { counted: to, ...(size && { text: 'x'.repeat(size) }) }
  }, { connection: { url: system.endpoints.redis as string }, concurrency: 8 })
  worker.on('error', () => {})
  t.teardown(() => worker.close(true))
  return system
}

/** Options of a client that goes to the services themselves, each at its port, without an edge. */
export function withoutEdge ({ endpoints }: System) {
  const originOf = (url: URL) => {
    const service = serviceOf(url.pathname) ?? 'jobs-api'
    return endpoints[service === 'realtime-gateway' ? 'realtime-gateway-1' : service] as string
  }
  const addressOf = (text: string) => {
    const url = new URL(text)
    return `${originOf(url)}${url.pathname}${url.search}`
  }
  class DirectWebSocket extends WebSocket {
    constructor (url: string, protocols: string[]) {
      super(addressOf(url).replace(/^http/, 'ws'), protocols)
    }
  }
  return {
    url: 'http://services.test',
    fetch: (async (url: string, init: RequestInit) => await fetch(addressOf(url), init)) as typeof fetch,
    WebSocket: DirectWebSocket as unknown as WebSocketConstructor
  }
}
