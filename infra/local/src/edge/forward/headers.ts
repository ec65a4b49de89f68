import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** Headers that apply to one hop only (RFC 9110 §7.6.1), like those that `Connection` names. */
const HOP_BY_HOP = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization',
  'te', 'transfer-encoding', 'upgrade'
])

/** Headers without which the message would change its meaning; `Connection` cannot remove them. */
const ESSENTIAL = new Set(['host', 'content-length', 'content-type'])

/** Names and values in turn, as Node has them: order, case and repetitions are kept. */
type RawHeaders = string[]

/** The headers for the next hop. */
export function endToEnd (raw: RawHeaders, isDropped: (name: string) => boolean = () => false): RawHeaders {
  const named = new Set(valuesOf(raw, 'connection')
    .flatMap(value => value.toLowerCase().split(','))
    .map(name => name.trim()))
  return filter(raw, name => !HOP_BY_HOP.has(name) && (!named.has(name) || ESSENTIAL.has(name)) && !isDropped(name))
}

/** The headers of a request as the service gets them. */
export function forwardedHeaders (request: IncomingMessage, id: string): Record<string, string | string[]> {
  const { headers, rawHeaders, socket } = request
  const isChunked = headers['transfer-encoding'] !== undefined
  // The edge has already sent the 100 Continue.
  const kept = endToEnd(
    rawHeaders,
    name => name === 'expect' || name.startsWith('x-forwarded-') || (name === 'trailer' && !isChunked)
  )
  const before = headers['x-forwarded-for']
  return {
    ...grouped(kept),
    ...(isChunked && { 'transfer-encoding': 'chunked' }),
    'x-request-id': id,
    'x-forwarded-for': before === undefined ? addressOf(socket) : `${String(before)}, ${addressOf(socket)}`,
    ...(headers.host !== undefined && { 'x-forwarded-host': headers['x-forwarded-host'] ?? headers.host }),
    'x-forwarded-proto': headers['x-forwarded-proto'] ?? 'http'
  }
}

/** The headers of a response as the client gets them. */
export function returnedHeaders (response: IncomingMessage, { httpVersion }: IncomingMessage): RawHeaders {
  const isChunked = response.headers['transfer-encoding'] !== undefined && httpVersion === '1.1'
  return endToEnd(response.rawHeaders, name => name === 'trailer' && !isChunked)
}

export function valuesOf (raw: RawHeaders, name: string): string[] {
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name)
}

function filter (raw: RawHeaders, isKept: (name: string) => boolean): RawHeaders {
  return raw.filter((_, index) => isKept((raw[index - index % 2] as string).toLowerCase()))
}

/** Repeated headers stay repeated. */
function grouped (raw: RawHeaders): Record<string, string | string[]> {
  const names = new Map<string, string>()
  const values = new Map<string, string[]>()
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i] as string, raw[i + 1] as string]
    const key = name.toLowerCase()
    if (!names.has(key)) names.set(key, name)
    values.set(key, [...values.get(key) ?? [], value])
  }
  return Object.fromEntries([...values].map(([key, all]) => [
    names.get(key),
    all.length === 1 ? all[0] as string : all
  ]))
}

function addressOf ({ remoteAddress = '' }: Socket): string {
  return remoteAddress.replace(/^::ffff:/, '')
}
