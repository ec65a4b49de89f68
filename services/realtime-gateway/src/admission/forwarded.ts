import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { addressKind } from '@tidings/service-kit'

type Request = Pick<IncomingMessage, 'headers' | 'socket'>

/**
 * Whether a request comes from a page of the same origin. A proxy in front of this service may have ended TLS, so a
 * page of https is accepted over plain http; never the reverse.
 */
export function isSameOrigin (origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  if (protocol !== 'https:' && (protocol !== 'http:' || isSecure(request))) return false
  const urls = hostsOf(request).map(own => `${protocol}//${own}`)
  return urls.some(url => URL.canParse(url) && new URL(url).host === host)
}

/** The address of the client: behind proxies of a private network, the nearest address outside that network. */
export function clientAddress (request: Request): string {
  const peer = request.socket.remoteAddress ?? ''
  if (!isFromProxy(request)) return peer
  const forwarded = listOf(request, 'x-forwarded-for').toReversed()
  return forwarded.find(address => addressKind(address) !== 'private') ?? forwarded.at(-1) ?? peer
}

function isSecure (request: Request): boolean {
  if ((request.socket as Partial<TLSSocket>).encrypted) return true
  return isFromProxy(request) && listOf(request, 'x-forwarded-proto')[0] === 'https'
}

function hostsOf (request: Request): string[] {
  const { host } = request.headers
  const forwarded = isFromProxy(request) ? listOf(request, 'x-forwarded-host').slice(0, 1) : []
  return [...(host === undefined ? [] : [host]), ...forwarded]
}

/** A proxy of ours is in a private network. Clients outside can't claim to be one. */
function isFromProxy ({ socket: { remoteAddress } }: Request): boolean {
  return remoteAddress !== undefined && addressKind(remoteAddress) === 'private'
}

function listOf ({ headers }: Request, name: string): string[] {
  return String(headers[name] ?? '').split(',').map(part => part.trim()).filter(Boolean)
}
