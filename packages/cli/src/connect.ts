import { createClient, TidingsError, type Client, type ClientOptions, type TokenSource } from 'tidings'
import { parseExact } from './exact-json.ts'
import { readConfig, saveTokens } from './profiles.ts'
import type { Settings } from './settings.ts'

type WebSocketConstructor = NonNullable<ClientOptions['WebSocket']>

/** A client for these settings. Numbers stay exact; a refresh token renews the profile's tokens. */
export function connect (settings: Settings, parse: (text: string) => unknown = parseExact): Client {
  const { url, user } = settings
  return createClient({
    url,
    token: tokenSource(settings),
    parse,
    ...(user !== undefined && {
      fetch: async (input, init) => await fetch(withUser(input instanceof Request ? input.url : input, user), init),
      WebSocket: socketsOf(user)
    })
  })
}

/** The token of the settings; once it ends, another one by the refresh token. */
function tokenSource (settings: Settings): TokenSource {
  return async ({ reason, signal }) => {
    if (!settings.token) throw new TidingsError('unauthorized', NO_TOKEN)
    if (reason !== 'start') await renew(settings, signal)
    return settings.token // the same one again: the client takes it for the last one
  }
}

/** Puts new tokens into the settings, and into their profile, where there is a refresh token. */
export async function renew (settings: Settings, signal: AbortSignal): Promise<void> {
  const { url, profile, token, refreshToken } = settings
  if (!refreshToken) return
  const saved = profile === undefined ? undefined : (await readConfig()).profiles[profile]
  const isRenewed = saved?.token !== undefined && saved.token !== token // by another command, meanwhile
  const tokens = isRenewed ? saved : await refresh(url, refreshToken, signal)
  settings.token = tokens.token
  settings.refreshToken = tokens.refreshToken
  if (profile !== undefined && !isRenewed) await saveTokens(profile, tokens)
}

const NO_TOKEN = 'There is no token: pass --token, set TIDINGS_TOKEN, or run tidings login'

interface Tokens { token: string, refreshToken: string | undefined }

async function refresh (url: string, refreshToken: string, signal: AbortSignal): Promise<Tokens> {
  const response = await fetch(`${url}/auth/refresh`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ refreshToken }), signal
  })
  if (response.status === 401) {
    throw new TidingsError('unauthorized', 'The login has ended: run tidings login', { status: 401 })
  }
  if (!response.ok) throw new Error(`POST /auth/refresh answered ${response.status}`)
  const tokens = await response.json() as Tokens
  return { token: tokens.token, refreshToken: tokens.refreshToken }
}

/** The address with the user that an operator means. */
function withUser (address: string | URL, user: string): string {
  const url = new URL(address)
  url.searchParams.set('userId', user)
  return url.href
}

function socketsOf (user: string): WebSocketConstructor | null {
  const { WebSocket } = globalThis
  if (!WebSocket) return null // before Node 22: the client uses SSE
  return class extends WebSocket {
    constructor (address: string, protocols: string[]) { super(withUser(address, user), protocols) }
  } as unknown as WebSocketConstructor
}
