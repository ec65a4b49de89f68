import { setMaxListeners } from 'node:events'
import { LRUCache } from 'lru-cache'
import { targetOf, type EgressRules, type Target } from '@tidings/service-kit'
import { Exchange } from './exchange.ts'
import type { AttemptOutcome } from './outcome.ts'
import { createPools } from './pools.ts'
import { createResolve, type Resolve } from './resolve.ts'

const CONNECT_TIMEOUT_MS = 10_000
const CONNECTIONS = 50
/** URLs of webhooks in use are judged once; the addresses of their names at each connect. */
const MAX_TARGETS = 10_000

export type AttempterOptions = EgressRules & {
  /** Of a socket, from the first DNS query to the end of the TLS handshake. */
  connectTimeoutMs?: number
  /** To one origin. */
  connections?: number
  resolve?: Resolve
  /** Certificates to trust instead of the system's, in PEM. */
  ca?: string
}

export type AttemptRequest = {
  url: string
  headers: Record<string, string>
  body: string | Buffer
  /** For everything: connection, request, headers and body of the answer. */
  timeoutMs: number
  /** Gives the attempt up: it rejects with the signal's reason, since nobody knows what became of it. */
  signal?: AbortSignal
}

export type Attempter = {
  (request: AttemptRequest): Promise<AttemptOutcome>
  /** Ends all connections. */
  close: () => Promise<void>
}

/**
 * Makes the function that posts webhooks: no redirects, a deadline over the
 * whole exchange, a bounded read of the answer, and no way to an address that
 * the rules don't allow. Each fault of the other side is an outcome; it rejects
 * only when given up by the signal.
 */
export function createAttempter (options: AttempterOptions): Attempter {
  const { resolve = createResolve(), connectTimeoutMs = CONNECT_TIMEOUT_MS, connections = CONNECTIONS, allowPrivate, ca } = options
  const targets = new LRUCache<string, Target>({ max: MAX_TARGETS, memoMethod: text => targetOf(text, options) })
  const { poolOf, close } = createPools({ resolve, connectTimeoutMs, connections, allowPrivate, ca })

  async function attempt ({ url: text, headers, body, timeoutMs, signal }: AttemptRequest): Promise<AttemptOutcome> {
    signal?.throwIfAborted()
    const target = targets.memo(text)
    if (target.fault !== undefined) return blocked(target.fault)
    const { origin, pathname, search } = target.url
    // One signal may serve all attempts in flight.
    if (signal) setMaxListeners(0, signal)
    return new Promise((resolve, reject) => {
      const exchange = new Exchange({ timeoutMs, signal, settle: resolve, reject })
      poolOf(origin).dispatch({ path: pathname + search, method: 'POST', headers, body }, exchange)
    })
  }

  return Object.assign(attempt, { close })
}

function blocked (fault: string): AttemptOutcome {
  return { ok: false, errorClass: 'blocked', message: `The URL ${fault}`, durations: { totalMs: 0 } }
}
