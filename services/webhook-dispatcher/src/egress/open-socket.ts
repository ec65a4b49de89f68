import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { mayReach } from '@tidings/service-kit'
import { codeOf, EgressError } from './outcome.ts'
import { OwnFault, ownFaultOf } from './own-fault.ts'
import { race, RaceLost, type Winner } from './race.ts'
import type { Found, Resolve } from './resolve.ts'

export type SocketOptions = {
  allowPrivate: boolean
  resolve: Resolve
  /** Connects to an address: directly, or through a proxy. */
  dial: (address: string, port: number, signal: AbortSignal) => Promise<Socket>
  /** The proxy resolves names, and refuses those that must not be reached. */
  isResolvedByProxy: boolean
  /** From the first DNS query to the end of the TLS handshake. */
  connectTimeoutMs: number
  /** Of a connection that is used again and again. */
  maxAgeMs: number
  /** Certificates to trust, other than by default. */
  secureContext?: SecureContext | undefined
}

/** State of an origin from its last connections: the TLS session shortens the next handshake. */
export type OriginMemory = { session?: Buffer, address?: string, answeredAt?: number }
export type Destination = { hostname: string, port: number, secure: boolean, memory: OriginMemory }
export type OpenedSocket = { socket: Socket } & OpeningTimes
/** Milliseconds; TLS is part of the connect. */
export type OpeningTimes = { dnsMs: number, connectMs: number }

/** DNS gets at most half of the time: the rest is needed to find out whether our servers are the reason. */
const DNS_SHARE = 0.5

/**
 * Connects in three phases, each with its error class. The addresses of the name are checked, and the socket connects
 * to one of the checked addresses, so that a name cannot resolve to another address between check and connect.
 *
 * @throws EgressError or OwnFault
 */
export async function openSocket (destination: Destination, options: SocketOptions): Promise<OpenedSocket> {
  const started = performance.now()
  const signal = AbortSignal.timeout(options.connectTimeoutMs)
  const found = await addressesOf(destination.hostname, options)
  const resolved = performance.now()
  const { socket: plain, address } = await connected(found, destination, { ...options, signal })
  destination.memory.address = address
  const socket = destination.secure ? await upgraded(plain, destination, { ...options, signal }) : plain
  return { socket, dnsMs: resolved - started, connectMs: performance.now() - resolved }
}

async function addressesOf (
  hostname: string, { resolve, isResolvedByProxy, connectTimeoutMs }: SocketOptions
): Promise<Found> {
  if (isIP(hostname) || isResolvedByProxy) return { addresses: [hostname] }
  try {
    return await resolve(hostname, connectTimeoutMs * DNS_SHARE)
  } catch (err) {
    if (err instanceof EgressError || err instanceof OwnFault) throw err
    throw new EgressError('dns', `The host's name could not be resolved (${codeOf(err)})`, err)
  }
}

type Timed = SocketOptions & { signal: AbortSignal }

async function connected (
  found: Found, { port, memory }: Destination, { dial, allowPrivate, signal }: Timed
): Promise<Winner> {
  try {
    return await race(found, {
      dial: async (address, lost) => await dial(address, port, lost),
      isAllowed: address => !isIP(address) || mayReach(address, { allowPrivate }),
      preferred: memory.address,
      signal
    })
  } catch (err) {
    if (err instanceof RaceLost) throw faultOf(err)
    throw new EgressError('timeout', 'Could not connect in time', err)
  }
}

function faultOf ({ errors }: RaceLost): Error {
  if (errors.length === 0) return new EgressError('blocked', 'The host has no public address')
  const own = ownFaultOf(errors)
  if (own) return own
  const known = errors.find(err => err instanceof EgressError)
  return known ?? new EgressError('connect', `Could not connect (${codeOf(mostSpecific(errors))})`, errors[0])
}

/** A refusal by the host is more specific than a missing route. */
function mostSpecific (errors: readonly unknown[]): unknown {
  return errors.find(
    err => codeOf(err) === 'ECONNREFUSED'
  ) ?? errors.find(err => codeOf(err) !== 'ENETUNREACH') ?? errors[0]
}

async function upgraded (
  plain: Socket, { hostname, memory: { session } }: Destination, { signal, secureContext }: Timed
): Promise<Socket> {
  const host = hostname.replace(/\.$/, '')
  const socket = connectTls({
    socket: plain,
    host,
    servername: isIP(host) ? '' : host,
    ALPNProtocols: ['http/1.1'],
    ...(session && { session }),
    ...(secureContext && { secureContext })
  })
  try {
    await once(socket, 'secureConnect', { signal })
    return socket
  } catch (err) {
    socket.on('error', () => {}) // reported here already
    socket.destroy()
    if (signal.aborted) throw new EgressError('timeout', 'The TLS handshake did not end in time', err)
    throw new EgressError('tls', `The TLS handshake failed (${codeOf(err)})`, err)
  }
}
