import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const GATEWAY_COOKIE = 'tidings_gateway'

export interface GatewayBalancer {
  /** Chooses the gateway for a request. */
  pick: (request: IncomingMessage) => string
  /** The cookie that keeps a client at a gateway; undefined where there is only one. */
  cookie: (gateway: string) => string | undefined
  /** Leaves out a gateway that accepts no new clients, until it is ready, unless none is. */
  unready: (gateway: string) => void
  ready: (gateway: string) => void
}

/**
 * Round robin over the gateways, except for Socket.IO long polling: its requests belong to a session in the memory of
 * one gateway, so they follow the cookie of the client or, for clients without cookies, its address. A WebSocket is one
 * connection and may go to any gateway, unless it continues such a session (`sid`).
 */
export function createGatewayBalancer (gateways: string[]): GatewayBalancer {
  const unready = new Set<string>()
  let turn = 0

  const available = () => {
    const ready = gateways.filter(gateway => !unready.has(gateway))
    return ready.length > 0 ? ready : gateways
  }
  const next = () => {
    const choice = available()
    return choice[turn++ % choice.length] as string
  }

  function pickSticky (request: IncomingMessage): string {
    const kept = gateways[cookieOf(request)]
    // A gateway that accepts no new clients still serves its sessions.
    if (kept !== undefined && (continuesSession(request) || !unready.has(kept))) return kept
    return byAddress(available(), request.socket.remoteAddress ?? '')
  }

  return {
    pick: request => gateways.length === 1 || !isSticky(request) ? next() : pickSticky(request),
    cookie: gateway => gateways.length === 1
      ? undefined
      : `${GATEWAY_COOKIE}=${gateways.indexOf(gateway)}; Path=/socket.io; HttpOnly; SameSite=Lax`,
    unready: gateway => { unready.add(gateway) },
    ready: gateway => { unready.delete(gateway) }
  }
}

/** The gateway with the highest score for the address: it stays the same when other gateways leave or return. */
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
