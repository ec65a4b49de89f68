import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export const GATEWAY_COOKIE = 'tidings_gateway'
const AVOID_MS = 1_000

export interface GatewayBalancer {
  /** The gateway for this request. */
  pick: (request: IncomingMessage) => string
  /** The cookie that keeps a client at a gateway, or undefined where there is only one. */
  cookie: (gateway: string) => string | undefined
  /** A gateway that could not be reached is left out for a moment. */
  failed: (gateway: string) => void
}

/**
 * Round robin over the gateways, but for Socket.IO's long polling: its requests belong to a session that one gateway
 * has in memory, so they follow the client's cookie or, for clients that keep none, its address. A WebSocket is one
 * connection and may go anywhere, unless it continues such a session (`sid`).
 */
export function createGatewayBalancer (gateways: string[]): GatewayBalancer {
  const avoidedUntil = new Map<string, number>()
  let turn = 0

  const available = () => {
    const now = Date.now()
    const left = gateways.filter(gateway => (avoidedUntil.get(gateway) ?? 0) <= now)
    return left.length > 0 ? left : gateways
  }
  const next = () => {
    const choice = available()
    return choice[turn++ % choice.length] as string
  }
  const byAddress = (address: string) => {
    const choice = available()
    return choice[createHash('sha1').update(address).digest().readUInt32BE() % choice.length] as string
  }

  return {
    pick: request => {
      if (gateways.length === 1 || !isSticky(request)) return next()
      return gateways[cookieOf(request)] ?? byAddress(request.socket.remoteAddress ?? '')
    },
    cookie: gateway => gateways.length === 1 ? undefined : `${GATEWAY_COOKIE}=${gateways.indexOf(gateway)}; Path=/socket.io; HttpOnly; SameSite=Lax`,
    failed: gateway => { avoidedUntil.set(gateway, Date.now() + AVOID_MS) }
  }
}

function isSticky ({ url = '', headers }: IncomingMessage): boolean {
  if (!url.startsWith('/socket.io')) return false
  return headers.upgrade === undefined || /[?&]sid=/.test(url)
}

function cookieOf ({ headers }: IncomingMessage): number {
  return Number(new RegExp(`(?:^|; *)${GATEWAY_COOKIE}=(\\d+)`).exec(headers.cookie ?? '')?.[1] ?? Number.NaN)
}
