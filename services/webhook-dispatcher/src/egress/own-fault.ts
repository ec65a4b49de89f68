import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { codeOf } from './outcome.ts'

/**
 * Why an attempt says nothing about its endpoint; also the label of a metric.
 * - `frozen`: this process did not run for a while within the attempt
 * - `resources`: no file descriptor, memory or local port was left
 * - `network`: this machine has no network, or no route
 * - `resolver`: the DNS servers of this machine do not answer
 * - `proxy`: the proxy of WEBHOOK_PROXY_URL does not work
 * - `secret`: no key decrypts the signing secret
 * - `internal`: a defect
 */
export const OWN_FAULTS = ['frozen', 'resources', 'network', 'resolver', 'proxy', 'secret', 'internal'] as const
export type OwnFaultReason = typeof OWN_FAULTS[number]

/** An attempt that failed through no fault of the endpoint: the delivery is released. */
export class OwnFault extends Error {
  readonly reason: OwnFaultReason

  constructor (reason: OwnFaultReason, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'OwnFault'
    this.reason = reason
  }
}

const RESOURCES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN', 'EADDRNOTAVAIL', 'EADDRINUSE'])
/** EPERM: the kernel's own filter, or its full table of connections, refused to send. */
const NETWORK = new Set(['ENETDOWN', 'ENETUNREACH', 'EPERM'])
const NO_IPV6 = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/**
 * The fault of ours because of which no address of an endpoint could be connected to. An IPv6 address that a machine
 * without IPv6 cannot reach is not one: such an endpoint is unreachable from here, and its owner sees that.
 */
export function ownFaultOf (errors: readonly unknown[]): OwnFault | undefined {
  const known = errors.find(err => err instanceof OwnFault)
  if (known) return known
  const counted = errors.filter(err => !lacksIPv6(err))
  const exhausted = counted.find(err => RESOURCES.has(codeOf(err)))
  if (exhausted) return new OwnFault('resources', `No socket could be opened (${codeOf(exhausted)})`, exhausted)
  const [first] = counted
  if (first === undefined || !counted.every(err => NETWORK.has(codeOf(err)))) return undefined
  return new OwnFault('network', `The network is not reachable (${codeOf(first)})`, first)
}

function lacksIPv6 (err: unknown): boolean {
  const { address } = err as { address?: unknown }
  return typeof address === 'string' && isIPv6(address) && NO_IPV6.has(codeOf(err)) && !hasGlobalIPv6()
}

/** Whether this machine has an address in 2000::/3; unique local addresses reach only the local network. */
function hasGlobalIPv6 (): boolean {
  return Object.values(networkInterfaces()).some(
    addresses => addresses?.some(({ family, address }) => family === 'IPv6' && /^[23]/.test(address))
  )
}
