import { lookup, Resolver } from 'node:dns/promises'
import { codeOf } from './outcome.ts'

/** All addresses of a name. Rejects when there is none. */
export type Resolve = (hostname: string) => Promise<string[]>

// Two tries of 2 s and 4 s: a name whose servers are silent ends within the deadline of an attempt.
const QUERY = { timeout: 2000, tries: 2 }

/**
 * Asks DNS without the threads of getaddrinfo: four names whose servers hang
 * would occupy all of them and hold up everybody. The system's way follows for
 * what DNS doesn't know (hosts file, search domains). `servers` are asked
 * instead of the system's, and alone. A name that is being asked for is not
 * asked for again beside it; answers are not kept.
 */
export function createResolve ({ servers }: { servers?: string[] | undefined } = {}): Resolve {
  const resolver = new Resolver(QUERY)
  if (servers) resolver.setServers(servers)
  const find: Resolve = servers ? query : fromSystem
  const asking = new Map<string, Promise<string[]>>()

  return function resolve (hostname) {
    const asked = asking.get(hostname) ?? find(hostname).finally(() => asking.delete(hostname))
    asking.set(hostname, asked)
    return asked
  }

  async function fromSystem (hostname: string): Promise<string[]> {
    if (isLocalName(hostname)) return getaddrinfo(hostname)
    try {
      return await query(hostname)
    } catch (err) {
      if (codeOf(err) === 'ETIMEOUT') throw err
      return getaddrinfo(hostname)
    }
  }

  async function query (hostname: string): Promise<string[]> {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const addresses = answers.flatMap(answer => answer.status === 'fulfilled' ? answer.value : [])
    if (addresses.length === 0) throw (answers[0] as PromiseRejectedResult).reason
    return addresses
  }
}

async function getaddrinfo (hostname: string): Promise<string[]> {
  const addresses = await lookup(hostname, { all: true })
  return addresses.map(({ address }) => address)
}

function isLocalName (hostname: string): boolean {
  return !hostname.includes('.') || hostname.endsWith('.localhost')
}
