import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { GatewayBalancer } from './gateway-balancer.ts'

/** A gateway that drains is left out, and one that is back taken in, within about this time. */
const INTERVAL_MS = 500
const TIMEOUT_MS = 2_000

interface GatewayWatchOptions { gateways: string[], balancer: GatewayBalancer }

/** Asks each gateway on and on whether it takes new clients; one alone gets them in any case. */
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
      else balancer.left(gateway)
      await sleep(INTERVAL_MS, undefined, { signal: closing.signal }).catch(() => {})
    }
  }
}, { name: 'gateway-watch' })

async function isReady (gateway: string, closing: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${gateway}/readyz`, { signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}
