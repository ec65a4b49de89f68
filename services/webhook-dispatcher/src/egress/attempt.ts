import { setMaxListeners } from 'node:events'
import { createSecureContext } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { targetOf, type EgressRules, type Target } from '@tidings/service-kit'
import { dialTcp } from './dial.ts'
import { Exchange } from './exchange.ts'
import { createFreezes, type Freezes } from './freezes.ts'
import type { AttemptOutcome } from './outcome.ts'
import { createPools } from './pools.ts'
import { createTunnel } from './proxy.ts'
import { createResolve, type Resolve } from './resolve.ts'

const CONNECT_TIMEOUT_MS = 10_000
const CONNECTIONS = 50
/** A busy connection never becomes idle, so it would keep the address that a name resolved to at first. */
const MAX_AGE_MS = 60_000
/** The URL of a webhook in use is checked once, the addresses of its name at each connect. */
const MAX_TARGETS = 10_000

export type AttempterOptions = EgressRules & {
  /** Of a socket, from the first DNS query to the end of the TLS handshake. */
  connectTimeoutMs?: number
  /** To one origin. */
  connections?: number
  /** The maximum age of a connection: after that its name is resolved again. */
  maxAgeMs?: number
  resolve?: Resolve
  /** Certificates to trust instead of the default ones, in PEM. */
  ca?: string | string[] | undefined
  /**
   * All connections go through this HTTP proxy; names are resolved here, or by the proxy, which must then guard the
   * network.
   */
  proxy?: { url: string, resolves: 'here' | 'proxy' } | undefined
  freezes?: Freezes
}

export type AttemptRequest = {
  url: string
  headers: Record<string, string>
  body: string | Buffer
  /** For the whole attempt: connection, request, status. */
  timeoutMs: number
  /** Aborts the attempt: it rejects with the signal's reason, because its outcome is unknown. */
  signal?: AbortSignal
}

export type Attempter = {
  /** @throws OwnFault if the attempt proves nothing about the endpoint */
  (request: AttemptRequest): Promise<AttemptOutcome>
  /** Ends all connections. */
  close: () => Promise<void>
}

/**
 * Creates the function that posts webhooks: no redirects, a deadline for the whole exchange, a bounded read of the
 * response, and no connection to an address that the rules forbid. A fault of the endpoint is an outcome; the function
 * rejects only if the signal aborts, or with a fault of ours.
 */
export function createAttempter (
  { connectTimeoutMs = CONNECT_TIMEOUT_MS, connections = CONNECTIONS, ...options }: AttempterOptions
): Attempter {
  const {
    resolve = createResolve(), freezes = createFreezes(), allowPrivate, maxAgeMs = MAX_AGE_MS, ca, proxy
  } = options
  const targets = new LRUCache<string, Target>({ max: MAX_TARGETS, memoMethod: text => targetOf(text, options) })
  const pools = createPools({
    resolve,
    dial: proxy ? createTunnel({ url: proxy.url, resolve, timeoutMs: connectTimeoutMs / 2 }) : dialTcp,
    isResolvedByProxy: proxy?.resolves === 'proxy',
    secureContext: ca === undefined ? undefined : createSecureContext({ ca }),
    connectTimeoutMs,
    connections,
    maxAgeMs,
    allowPrivate
  })

  async function attempt ({ url: text, headers, body, timeoutMs, signal }: AttemptRequest): Promise<AttemptOutcome> {
    signal?.throwIfAborted()
    const target = targets.memo(text)
    if (target.fault !== undefined) return blocked(target.fault)
    const { origin, pathname, search } = target.url
    const request = { path: pathname + search, method: 'POST' as const, headers, body }
    // One signal may serve all attempts in flight.
    if (signal) setMaxListeners(0, signal)
    return new Promise((resolve, reject) => {
      const exchange = new Exchange({
        timeoutMs, signal, freezes, settle: resolve, reject, resend, onSilence: () => pools.renew(origin)
      })
      pools.poolOf(origin).dispatch(request, exchange)
    })

    function resend (exchange: Exchange): void {
      const connection = pools.fresh(origin)
      connection.dispatch(request, exchange)
      connection.close(() => {}) // once that has ended
    }
  }

  async function close (): Promise<void> {
    freezes.close()
    await pools.close()
  }

  return Object.assign(attempt, { close })
}

function blocked (fault: string): AttemptOutcome {
  return { ok: false, errorClass: 'blocked', message: `The URL ${fault}`, durations: { totalMs: 0 } }
}
