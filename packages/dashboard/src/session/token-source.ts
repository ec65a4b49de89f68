import { TidingsError, type TokenReason } from 'tidings'
import { servicesUrl } from '../settings.ts'
import { askParent } from './embedding.ts'
import { session, type Tokens } from './session.ts'

const LOCK = 'tidings:refresh'

/**
 * Gives the client its token: the one of the session, and a new one where that ends. A refresh token may be used once,
 * so tabs renew one after the other, and a tab takes what another one has got.
 */
export async function tokenSource (
  { reason, signal }: { reason: TokenReason, signal: AbortSignal }
): Promise<string> {
  const used = session.get()?.token
  if (!used) throw new TidingsError('unauthorized', 'You are not signed in')
  if (reason === 'start') return used
  const renew = async () => {
    const { token, refreshToken } = session.get() ?? {}
    if (token && token !== used) return token
    // The client takes the same token for the end.
    if (!refreshToken) return await askParent(used, signal) ?? used
    const tokens = await refresh(refreshToken, signal)
    session.renew(tokens)
    return tokens.token
  }
  // Web Locks are missing on pages without TLS.
  return 'locks' in navigator ? await navigator.locks.request(LOCK, { signal }, renew) : await renew()
}

/** The only request that is not the client's: it is what the client gets its tokens from. */
async function refresh (refreshToken: string, signal: AbortSignal): Promise<Tokens> {
  const response = await fetch(`${servicesUrl}/auth/refresh`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refreshToken }),
    signal
  })
  if (response.status === 401 || response.status === 404) {
    throw new TidingsError('unauthorized', 'Your session has ended')
  }
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return await response.json() as Tokens
}
