import { once } from 'node:events'
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { mayReach } from '@tidings/service-kit'
import { codeOf, EgressError } from './outcome.ts'
import type { Resolve } from './resolve.ts'

export type SocketOptions = {
  allowPrivate: boolean
  resolve: Resolve
  /** From the first DNS query to the end of the TLS handshake. */
  connectTimeoutMs: number
  /** Certificates to trust instead of the system's. */
  ca?: string | undefined
}

export type Destination = { hostname: string, port: number, secure: boolean, session?: Buffer | undefined }
export type OpenedSocket = { socket: Socket } & OpeningTimes
/** Milliseconds; TLS counts to the connect. */
export type OpeningTimes = { dnsMs: number, connectMs: number }

/**
 * Connects, in three phases with an error class each. The addresses of the name
 * are judged and the socket is bound to one of those judged, so that a name
 * can't mean one thing to the check and another to the connect.
 */
export async function openSocket ({ hostname, port, secure, session }: Destination, options: SocketOptions): Promise<OpenedSocket> {
  const started = performance.now()
  const signal = AbortSignal.timeout(options.connectTimeoutMs)
  const addresses = await allowedAddresses(hostname, options)
  const resolved = performance.now()
  const plain = connectTcp({ host: hostname, port, lookup: pinned(addresses), noDelay: true, keepAlive: true })
  await settled(plain, 'connect', { signal, errorClass: 'connect', failed: 'Could not connect' })
  const socket = secure ? await upgraded(plain, { hostname, session, signal, ca: options.ca }) : plain
  return { socket, dnsMs: resolved - started, connectMs: performance.now() - resolved }
}

async function allowedAddresses (hostname: string, { resolve, allowPrivate }: SocketOptions): Promise<string[]> {
  const addresses = isIP(hostname) ? [hostname] : await resolved(hostname, resolve)
  const allowed = addresses.filter(address => mayReach(address, { allowPrivate }))
  if (allowed.length === 0) throw new EgressError('blocked', 'The host has no public address')
  return allowed
}

async function resolved (hostname: string, resolve: Resolve): Promise<string[]> {
  try {
    return await resolve(hostname)
  } catch (err) {
    throw new EgressError('dns', `The host's name could not be resolved (${codeOf(err)})`, err)
  }
}

/** A lookup that knows these addresses only; with several, Node tries them in turn (RFC 8305). */
function pinned (addresses: string[]): LookupFunction {
  const all = addresses.map(address => ({ address, family: isIP(address) }))
  return (_hostname, { all: wantsAll }, callback) => {
    if (wantsAll) callback(null, all)
    else callback(null, all[0]?.address ?? '', all[0]?.family)
  }
}

type Handshake = Pick<Destination, 'hostname' | 'session'> & { signal: AbortSignal, ca: string | undefined }

async function upgraded (plain: Socket, { hostname, session, signal, ca }: Handshake): Promise<Socket> {
  const host = hostname.replace(/\.$/, '')
  const socket = connectTls({
    socket: plain,
    host,
    servername: isIP(host) ? '' : host,
    ALPNProtocols: ['http/1.1'],
    ...(session && { session }),
    ...(ca && { ca })
  })
  await settled(socket, 'secureConnect', { signal, errorClass: 'tls', failed: 'The TLS handshake failed' })
  return socket
}

type Phase = { signal: AbortSignal, errorClass: 'connect' | 'tls', failed: string }

async function settled (socket: Socket, event: 'connect' | 'secureConnect', { signal, errorClass, failed }: Phase): Promise<void> {
  try {
    await once(socket, event, { signal })
  } catch (err) {
    socket.on('error', () => {}) // told here already
    socket.destroy()
    if (signal.aborted) throw new EgressError('timeout', `${failed} in time`, err)
    throw new EgressError(errorClass, `${failed} (${codeOf(err)})`, err)
  }
}
