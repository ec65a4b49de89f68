import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export const GATEWAY_COOKIE = 'tidings_gateway'

export interface GatewayBalancer {
  /** The gateway for this request. */
  pick: (request: IncomingMessage) => string
  /** The cookie that keeps a client at a gateway, or undefined where there is only one. */
  cookie: (gateway: string) => string | undefined
  /** A gateway takes no new clients: it is left out until it is ready, unless none is. */
  left: (gateway: string) => void
  ready: (gateway: string) => void
}

/**
 * Round robin over the gateways, but for Socket.IO's long polling: its requests belong to a session that one gateway
 * has in memory, so they follow the client's cookie or, for clients that keep none, its address. A WebSocket is one
 * connection and may go anywhere, unless it continues such a session (`sid`).
 */
export function createGatewayBalancer (gateways: string[]): GatewayBalancer {
  const away = new Set<string>()
  let turn = 0

  const available = () => {
    const left = gateways.filter(gateway => !away.has(gateway))
    return left.length > 0 ? left : gateways
  }
  const next = () => {
    const choice = available()
    return choice[turn++ % choice.length] as string
  }

  function pickSticky (request: IncomingMessage): string {
    const kept = gateways[cookieOf(request)]
    // A gateway that takes no new clients still has those that it has.
    if (kept !== undefined && (continuesSession(request) || !away.has(kept))) return kept
    return byAddress(available(), request.socket.remoteAddress ?? '')
  }

  return {
    pick: request => gateways.length === 1 || !isSticky(request) ? next() : pickSticky(request),
    cookie: gateway => gateways.length === 1 ? undefined : `${GATEWAY_COOKIE}=${gateways.indexOf(gateway)}; Path=/socket.io; HttpOnly; SameSite=Lax`,
    left: gateway => { away.add(gateway) },
    ready: gateway => { away.delete(gateway) }
  }
}

/** The gateway that scores highest with the address: when another one goes or comes back, it is still this one. */
function byAddress (gateways: string[], address: string): string {
  const score = (gateway: string) => createHash('sha1').update(`${gateway} ${address}`).digest().readUInt32BE()
  return gateways.toSorted((a, b) => score(b) - score(a))[0] as string
}

function isSticky ({ url = '', headers }: IncomingMessage): boolean {
  return url.startsWith('/socket.io') && (headers.upgrade === undefined || continuesSession({ url }))
}

function continuesSession ({ url = '' }: Pick<IncomingMessage, 'url'>): boolean {
  return /[?&]sid=/.test(url)
}

function cookieOf ({ headers }: IncomingMessage): number {
  return Number(new RegExp(`(?:^|; *)${GATEWAY_COOKIE}=(\\d+)`).exec(headers.cookie ?? '')?.[1] ?? Number.NaN)
}
