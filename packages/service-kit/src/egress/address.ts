import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js'

/**
 * - `public`: always allowed.
 * - `private`: a network or machine of the operator, fc00::/7 and 100.64.0.0/10 among them; allowed with
 *   WEBHOOK_ALLOW_PRIVATE.
 * - `forbidden`: never a receiver: metadata services, link-local, multicast, reserved, documentation, tunnels.
 */
export type AddressKind = 'public' | 'private' | 'forbidden'

/** Shared addresses (100.64.0.0/10) belong to networks of carriers, to Tailscale and to the pods of some clusters. */
const PRIVATE_RANGES = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat'])

/** Metadata services of clouds outside the link-local range, which is forbidden as a whole. */
const METADATA = new Set([
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
  'fd00:ec2::254', // AWS
  'fd20:ce::254' // Google Cloud
])

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

/** The kind of an address; an IPv4 address inside an IPv6 one is found in any form. */
export function addressKind (text: string): AddressKind {
  if (!ipaddr.isValid(text)) return 'forbidden'
  const address = ipaddr.parse(text)
  if (METADATA.has(address.toString())) return 'forbidden'
  return address instanceof ipaddr.IPv4 ? kindOfIPv4(address) : kindOfIPv6(address as IPv6)
}

function kindOfIPv4 (address: IPv4): AddressKind {
  const range = address.range()
  if (PRIVATE_RANGES.has(range)) return 'private'
  return range === 'unicast' ? 'public' : 'forbidden'
}

function kindOfIPv6 (address: IPv6): AddressKind {
  const embedded = embeddedIPv4(address)
  if (embedded) return addressKind(embedded.toString())
  const range = address.range()
  if (PRIVATE_RANGES.has(range)) return 'private'
  // Ranges that IANA has not assigned yet, or has withdrawn (::/96, fec0::/10), have no receivers.
  return range === 'unicast' && address.match(GLOBAL_UNICAST) ? 'public' : 'forbidden'
}

/** The IPv4 address that packets to this IPv6 address end up at. */
function embeddedIPv4 (address: IPv6): IPv4 | undefined {
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  const bytes = address.toByteArray()
  if (address.match(NAT64)) return new ipaddr.IPv4(bytes.slice(12))
  if (address.range() === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6))
  return undefined
}
