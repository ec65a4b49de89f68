import { request } from 'node:http'
import { isIP, isIPv6, type Socket } from 'node:net'
import { dialTcp } from './dial.ts'
import { EgressError } from './outcome.ts'
import { OwnFault } from './own-fault.ts'
import { race } from './race.ts'
import type { Resolve } from './resolve.ts'

const DEFAULT_PORT = 80
const MAX_HEADER_BYTES = 16 * 1024
/** Statuses of proxies that cannot reach the host. */
const UNREACHED = new Set([502, 503, 504])
const FORBIDDEN = 403

type ProxyOptions = {
  url: string
  resolve: Resolve
  /** For the connection to the proxy; later delays are those of the endpoint. */
  timeoutMs: number
}

/** Creates the function that opens a tunnel to an address through an HTTP proxy (CONNECT). */
export function createTunnel ({ url, resolve, timeoutMs }: ProxyOptions) {
  const { hostname, port, username, password } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
  const authorization = username || password ? { 'proxy-authorization': `Basic ${credentials}` } : {}

  return async function tunnel (address: string, addressPort: number, signal: AbortSignal): Promise<Socket> {
    const socket = await dialProxy(signal)
    const authority = `${isIPv6(address) ? `[${address}]` : address}:${addressPort}`
    const status = await connectThrough(socket, authority, signal)
    if (status >= 200 && status < 300) return socket
    socket.destroy()
    throw refusal(status)
  }

  async function dialProxy (signal: AbortSignal): Promise<Socket> {
    try {
      const found = isIP(host) ? { addresses: [host] } : await resolve(host, timeoutMs)
      const dial = async (address: string, lost: AbortSignal) => await dialTcp(
        address, Number(port) || DEFAULT_PORT, lost
      )
      const { socket } = await race(
        found, { dial, isAllowed: () => true, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) }
      )
      return socket
    } catch (err) {
      throw new OwnFault('proxy', 'The proxy could not be connected to', err)
    }
  }

  /** Resolves to the status of the response; the socket then belongs to the tunnel. */
  async function connectThrough (socket: Socket, authority: string, signal: AbortSignal): Promise<number> {
    return await new Promise((resolve, reject) => {
      const fail = (err: unknown) => {
        socket.destroy()
        reject(new OwnFault('proxy', 'The proxy gave no answer', err))
      }
      request({
        method: 'CONNECT',
        path: authority,
        headers: { host: authority, ...authorization },
        createConnection: () => socket,
        maxHeaderSize: MAX_HEADER_BYTES,
        signal
      }).on('connect', (response, _socket, head: Buffer) => {
        if (head.length > 0) socket.unshift(head)
        resolve(response.statusCode ?? 0)
      }).on('error', fail).end()
    })
  }
}

/** Credentials in a URL are percent-encoded; many people write them literally. */
function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function refusal (status: number): Error {
  if (status === FORBIDDEN) return new EgressError('blocked', 'The proxy does not allow the host')
  if (UNREACHED.has(status)) return new EgressError('connect', `The proxy could not reach the host (${status})`)
  return new OwnFault('proxy', `The proxy answered ${status}`)
}
