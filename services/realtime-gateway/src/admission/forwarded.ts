import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { addressKind } from '@tidings/service-kit'

type Request = Pick<IncomingMessage, 'headers' | 'socket'>

/**
 * Whether a request comes from a page of the very origin that it asks. A proxy
 * before this service may have ended TLS, so a page of https is taken where
 * plain http arrives; never the other way round.
 */
export function isSameOrigin (origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  if (protocol !== 'https:' && (protocol !== 'http:' || isSecure(request))) return false
  return hostsOf(request).some(own => URL.canParse(`${protocol}//${own}`) && new URL(`${protocol}//${own}`).host === host)
}

/** The address of the client: behind proxies of one's own network the nearest that is not of it. */
export function clientAddress (request: Request): string {
  const peer = request.socket.remoteAddress ?? ''
  if (!isFromProxy(request)) return peer
  const passed = listOf(request, 'x-forwarded-for').toReversed()
  return passed.find(address => addressKind(address) !== 'private') ?? passed.at(-1) ?? peer
}

function isSecure (request: Request): boolean {
  if ((request.socket as Partial<TLSSocket>).encrypted) return true
  return isFromProxy(request) && listOf(request, 'x-forwarded-proto')[0] === 'https'
}

function hostsOf (request: Request): string[] {
  const { host } = request.headers
  return [...(host === undefined ? [] : [host]), ...(isFromProxy(request) ? listOf(request, 'x-forwarded-host').slice(0, 1) : [])]
}

/** What stands before this service is in its own network; no client from outside speaks for it. */
function isFromProxy ({ socket: { remoteAddress } }: Request): boolean {
  return remoteAddress !== undefined && addressKind(remoteAddress) === 'private'
}

function listOf ({ headers }: Request, name: string): string[] {
  return String(headers[name] ?? '').split(',').map(part => part.trim()).filter(Boolean)
}
