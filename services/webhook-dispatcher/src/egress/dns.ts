import { Resolver } from 'node:dns/promises'
import { LRUCache } from 'lru-cache'
import { withTimeout } from '@tidings/service-kit'
import { codeOf } from './outcome.ts'

export type Family = 4 | 6

export type Answer = {
  family: Family
  /** Empty if there is an error. */
  addresses: string[]
  ttlMs: number
  fault?: unknown
}

export type Dns = ReturnType<typeof createDns>

/** A dead server costs a second before the next one is queried; three rounds fit into a caller's deadline. */
const QUERY = { timeout: 1000, tries: 3 }
const PROBE = { timeout: 1000, tries: 1 }
/** How long the result of a probe is valid. */
const PROBE_MS = 1000
/** Names that were resolved recently: a probe queries some of them. */
const MAX_GOOD = 100
const PROBED_NAMES = 2
/** These codes are an answer of a server, even a negative one. */
const DEFINITE = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EFORMERR'])

/** The system's DNS servers, or those given. */
export function createDns (servers?: string[]) {
  let resolver = open(QUERY)
  const good = new LRUCache<string, true>({ max: MAX_GOOD })
  const probes = new LRUCache<string, Promise<boolean>>({ max: MAX_GOOD, ttl: PROBE_MS })

  function open (options: typeof QUERY): Resolver {
    const opened = new Resolver(options)
    if (servers) opened.setServers(servers)
    return opened
  }

  async function ask (hostname: string, family: Family, timeoutMs: number): Promise<Answer> {
    try {
      const records = await within(
        timeoutMs,
        family === 4 ? resolver.resolve4(hostname, { ttl: true }) : resolver.resolve6(hostname, { ttl: true })
      )
      good.set(hostname, true)
      return {
        family,
        addresses: records.map(({ address }) => address),
        ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000
      }
    } catch (fault) {
      return { family, addresses: [], ttlMs: 0, fault }
    }
  }

  /**
   * Whether our DNS servers, not those of the name, are the reason that it could not be resolved: then no other name is
   * answered either. The probe queries recently resolved names of other domains or, if there are none, the root.
   */
  async function isToBlame (hostname: string, fault: unknown, timeoutMs: number): Promise<boolean> {
    if (isDefinite(fault)) return false
    const others = [...good.keys()].filter(name => domainOf(name) !== domainOf(hostname)).slice(0, PROBED_NAMES)
    const key = others.join(' ')
    const probed = probes.get(key) ?? probe(others, Math.min(timeoutMs, PROBE.timeout))
    probes.set(key, probed)
    if (await probed) return false
    // The system's configuration may have changed since: a new resolver reads it.
    resolver = open(QUERY)
    return true
  }

  async function probe (names: string[], timeoutMs: number): Promise<boolean> {
    const prober = open(PROBE)
    const asked = names.length > 0 ? names.map(name => prober.resolve4(name)) : [prober.resolveNs('.')]
    const answered = await Promise.allSettled(asked.map(answer => within(timeoutMs, answer)))
    return answered.some(answer => answer.status === 'fulfilled' || isDefinite(answer.reason))
  }

  return { ask, isToBlame }
}

export function isDefinite (fault: unknown): boolean {
  return DEFINITE.has(codeOf(fault))
}

/** @throws an error of code ETIMEOUT after that time */
export async function within<T> (ms: number, answer: Promise<T>): Promise<T> {
  return await withTimeout(answer, ms, (): never => {
    throw Object.assign(new Error('No answer in time'), { code: 'ETIMEOUT' })
  })
}

/** `hooks.vendor.com` and `api.vendor.com` depend on the same servers. */
function domainOf (hostname: string): string {
  return hostname.replace(/\.$/, '').split('.').slice(-2).join('.')
}
