import type { IncomingMessage } from 'node:http'

/**
 * For `shouldUpgradeCallback` of an HTTP server: accepts upgrades to WebSocket at the given paths. Other upgrades are
 * ignored (RFC 9110 §7.8): Java's HTTP client and curl offer h2c with every request.
 */
export function webSocketsAt (path: RegExp) {
  return function isWebSocket ({ method, url = '', headers }: IncomingMessage): boolean {
    return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && path.test(url.split('?')[0] as string)
  }
}

/** The paths at which the gateway serves WebSockets: its own, and those of Socket.IO. */
export const WEB_SOCKET_PATHS = /^\/+(socket\.io\/|ws\/*$)/
