import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { GatewayBalancer } from './gateway-balancer.ts'

/** How soon a draining gateway is left out, and a returning one is used again. */
const INTERVAL_MS = 500
const TIMEOUT_MS = 2_000

interface GatewayWatchOptions { gateways: string[], balancer: GatewayBalancer }

/** Polls each gateway for whether it accepts new clients; a single gateway gets them in any case. */
export const gatewayWatch = fp<GatewayWatchOptions>(async function gatewayWatch (app, { gateways, balancer }) {
  if (gateways.length === 1) return
  const closing = new AbortController()
  let watching: Promise<unknown> = Promise.resolve()
  app.addHook('onListen', async () => { watching = Promise.all(gateways.map(watch)) })
  app.addHook('preClose', async () => {
    closing.abort()
    await watching
  })

  async function watch (gateway: string) {
    while (!closing.signal.aborted) {
      if (await isReady(gateway, closing.signal)) balancer.ready(gateway)
      else balancer.unready(gateway)
      await sleep(INTERVAL_MS, undefined, { signal: closing.signal }).catch(() => {})
    }
  }
}, { name: 'gateway-watch' })

async function isReady (gateway: string, closing: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${gateway}/readyz`, {
      signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)])
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}
