import { lookup } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { createDns, isDefinite, within, type Answer, type Dns } from './dns.ts'
import { codeOf, EgressError } from './outcome.ts'
import { OwnFault } from './own-fault.ts'

/** Addresses of a name, at least one; `later` resolves to those of the family that has not been answered yet. */
export type Found = { addresses: string[], later?: Promise<string[]> | undefined }

/**
 * Rejects with an EgressError if the name has no address, and with an OwnFault if our DNS servers are the reason.
 */
export type Resolve = (hostname: string, timeoutMs?: number) => Promise<Found>

/** RFC 8305, "Resolution Delay": how long IPv4 waits for the answer of IPv6. */
const RESOLUTION_DELAY_MS = 50
/** Within the deadline of an attempt, with time left to probe our DNS servers. */
const TIMEOUT_MS = 5000
/** Answers are cached for their TTL, at most for this; users choose the names, so their number is bounded. */
const MAX_TTL_MS = 60_000
const MAX_NAMES = 1000
/** RFC 8767: while our DNS servers are away, an old answer is better than none. */
const STALE_MS = 3_600_000

/**
 * Queries DNS without the threads of getaddrinfo: a few names with hanging servers would occupy all of them and delay
 * all webhooks. getaddrinfo follows for names that DNS does not know (hosts file, search domains). `servers` replace
 * those of the system, and getaddrinfo too. Concurrent queries for one name share a request.
 */
export function createResolve ({ servers }: { servers?: string[] | undefined } = {}): Resolve {
  const dns = createDns(servers)
  const fresh = new LRUCache<string, string[]>({ max: MAX_NAMES })
  const former = new LRUCache<string, string[]>({ max: MAX_NAMES, ttl: STALE_MS })
  const asking = new Map<string, Promise<Found>>()

  return async function resolve (hostname, timeoutMs = TIMEOUT_MS) {
    const known = fresh.get(hostname)
    if (known) return { addresses: known }
    const asked = asking.get(hostname) ?? find(hostname, timeoutMs).finally(() => asking.delete(hostname))
    asking.set(hostname, asked)
    return await asked
  }

  async function find (hostname: string, timeoutMs: number): Promise<Found> {
    if (!servers && isLocalName(hostname)) return await bySystem(hostname, timeoutMs)
    const started = performance.now()
    try {
      return await query(hostname, timeoutMs)
    } catch (err) {
      const leftMs = timeoutMs - (performance.now() - started)
      if (servers || leftMs <= 0 || codeOf(err) === 'ETIMEOUT') return await judge(hostname, err, timeoutMs)
      return await bySystem(hostname, leftMs, err)
    }
  }

  async function query (hostname: string, timeoutMs: number): Promise<Found> {
    const { answers, rest } = await ask(dns, hostname, timeoutMs)
    const later = rest?.then(answer => {
      keep(hostname, [...answers, answer])
      return answer.addresses
    })
    return { addresses: keep(hostname, answers), later }
  }

  function keep (hostname: string, answers: Answer[]): string[] {
    const found = answers.filter(({ addresses }) => addresses.length > 0)
    const addresses = found.flatMap(answer => answer.addresses)
    const ttl = Math.min(MAX_TTL_MS, ...found.map(({ ttlMs }) => ttlMs))
    if (ttl > 0) fresh.set(hostname, addresses, { ttl })
    former.set(hostname, addresses)
    return addresses
  }

  /** It can hang for as long as the servers do. */
  async function bySystem (hostname: string, timeoutMs: number, cause?: unknown): Promise<Found> {
    try {
      const addresses = await within(timeoutMs, lookup(hostname, { all: true }))
      return { addresses: addresses.map(({ address }) => address) }
    } catch (err) {
      return await judge(hostname, isDefinite(err) ? err : cause ?? err, timeoutMs)
    }
  }

  async function judge (hostname: string, err: unknown, timeoutMs: number): Promise<Found> {
    if (!await dns.isToBlame(hostname, err, timeoutMs / 2)) {
      throw new EgressError('dns', `The host's name could not be resolved (${codeOf(err)})`, err)
    }
    const addresses = former.get(hostname)
    if (addresses) return { addresses }
    throw new OwnFault('resolver', `The DNS servers do not answer (${codeOf(err)})`, err)
  }
}

type Asked = { answers: Answer[], rest?: Promise<Answer> | undefined }

/** Resolves with the first addresses. @throws if neither family has any */
async function ask (dns: Dns, hostname: string, timeoutMs: number): Promise<Asked> {
  const answers: Answer[] = []
  const take = (answer: Answer) => {
    answers.push(answer)
    return answer
  }
  const [v6, v4] = [dns.ask(hostname, 6, timeoutMs).then(take), dns.ask(hostname, 4, timeoutMs).then(take)]
  await Promise.race([
    v6.then(async answer => answer.addresses.length > 0 || await v4),
    v4.then(async answer => await (answer.addresses.length > 0 ? Promise.race([v6, sleep(RESOLUTION_DELAY_MS)]) : v6))
  ])
  const seen = [...answers]
  if (seen.every(({ addresses }) => addresses.length === 0)) throw faultOf(seen)
  if (seen.length > 1) return { answers: seen }
  return { answers: seen, rest: seen[0]?.family === 6 ? v4 : v6 }
}

/** The more specific error: the name does not exist, rather than: a query was not answered. */
function faultOf (answers: Answer[]): unknown {
  return answers.find(({ fault }) => isDefinite(fault))?.fault ?? answers[0]?.fault
}

function isLocalName (hostname: string): boolean {
  return !hostname.includes('.') || hostname.endsWith('.localhost')
}
