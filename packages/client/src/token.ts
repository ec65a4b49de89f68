import { createScope, orAborted } from './abort.ts'
import { TidingsError } from './errors.ts'

/** Why a token is asked for: none yet; the one in use is about to expire; the one in use was refused. */
export type TokenReason = 'start' | 'expiring' | 'rejected'

/** An access token, or what gets one. A callback that fails is asked again later; `unauthorized` ends everything. */
export type TokenSource = string | ((request: { reason: TokenReason, signal: AbortSignal }) => string | Promise<string>)

/** For the callback to answer. */
const TIMEOUT_MS = 30_000

export interface Tokens {
  get: (signal: AbortSignal) => Promise<string>
  /** Another token than `used`; rejects with `unauthorized` where there is none. */
  renew: (reason: TokenReason, used: string, signal: AbortSignal) => Promise<string>
}

/** One token for all requests and streams of a client: all that need a new one wait for the same call. */
export function createTokens (source: TokenSource, closed: AbortSignal): Tokens {
  let current: string | undefined
  let asking: Promise<string> | undefined

  function ask (reason: TokenReason, signal: AbortSignal): Promise<string> {
    asking ??= call(reason).finally(() => { asking = undefined })
    return orAborted(asking, signal)
  }

  async function call (reason: TokenReason): Promise<string> {
    const { signal, dispose } = createScope([closed], TIMEOUT_MS, new Error(`No token within ${TIMEOUT_MS} ms`))
    try {
      const asked = typeof source === 'string' ? source : source({ reason, signal })
      const token: unknown = await orAborted(Promise.resolve(asked), signal)
      if (typeof token === 'string' && token !== '') return (current = token)
      throw new TidingsError('unauthorized', 'There is no token')
    } catch (cause) {
      closed.throwIfAborted()
      if ((cause as { code?: unknown } | undefined)?.code === 'unauthorized') throw cause
      throw new TidingsError('token_failed', 'There is no token', { cause })
    } finally {
      dispose()
    }
  }

  return {
    get: async signal => current ?? await ask('start', signal),
    async renew (reason, used, signal) {
      if (current !== undefined && current !== used) return current
      const token = await ask(reason, signal)
      if (token === used) throw new TidingsError('unauthorized', 'The token was refused')
      return token
    }
  }
}
