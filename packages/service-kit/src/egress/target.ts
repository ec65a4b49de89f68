import { isIP } from 'node:net'
import { addressKind } from './address.ts'
import type { EgressRules } from './rules.ts'

export type Target = { url: URL, fault?: undefined } | { fault: string }

/**
 * Parses a URL for webhooks, or says why it is not allowed. A host name is checked again at each connect, by its
 * addresses at that time.
 */
export function targetOf (text: string, rules: EgressRules): Target {
  const url = URL.parse(text)
  if (!url) return { fault: 'must be a URL' }
  const fault = faultOf(url, rules)
  return fault ? { fault } : { url }
}

/** Whether connections to an address are allowed. */
export function mayReach (address: string, { allowPrivate }: Pick<EgressRules, 'allowPrivate'>): boolean {
  const kind = addressKind(address)
  return kind === 'public' || (kind === 'private' && allowPrivate)
}

function faultOf (url: URL, rules: EgressRules): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an http or https URL'
  if (rules.requireHttps && url.protocol !== 'https:') return 'must be an https URL'
  if (url.username || url.password) return 'must not contain a user name or password'
  if (rules.ports && !rules.ports.includes(portOf(url))) return `must use one of the ports ${rules.ports.join(', ')}`
  const host = hostOf(url)
  // URL has already turned decimal, octal, hex and short forms into the address they mean.
  return isIP(host) && !mayReach(host, rules) ? 'must not point at an address that is not public' : undefined
}

function portOf ({ port, protocol }: URL): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80)
}

function hostOf ({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
