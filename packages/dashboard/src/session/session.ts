/** The tokens with which the page acts. */
export interface Tokens { token: string, refreshToken?: string | undefined }

export interface Session extends Tokens {
  /** Kept in the tab over a reload. */
  isRemembered: boolean
}

const KEY = 'tidings:session'
/** How long other tabs have to hand over their session to a new one. */
const HAND_OVER_MS = 150

let current: Session | undefined
/** Why there is no session any more. */
let ended: string | undefined
const listeners = new Set<() => void>()
/** Tabs share a session; a page in a frame has that of the application around it. */
const channel = 'BroadcastChannel' in globalThis && window.parent === window ? new BroadcastChannel(KEY) : undefined

channel?.addEventListener('message', ({ data }: MessageEvent<{ type: string, tokens?: Tokens }>) => {
  if (data.type === 'ask' && current) post('tokens')
  if (data.type === 'tokens' && data.tokens && !current) set({ ...data.tokens, isRemembered: false })
  if (data.type === 'renewed' && data.tokens && current && sameUser(data.tokens.token, current.token)) {
    set({ ...current, ...data.tokens })
  }
  if (data.type === 'sign-out' && current) set(undefined)
})

export const session = {
  get: () => current,
  endedBecause: () => ended,
  subscribe: (listener: () => void) => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  },
  begin: (next: Session) => {
    ended = undefined
    set(next)
  },
  /** New tokens of the same session, for all tabs. */
  renew: (tokens: Tokens) => {
    if (!current) return
    set({ ...current, ...tokens })
    post('renewed')
  },
  /** This tab cannot go on: its token is refused, and there is no other. */
  end: (reason: string) => {
    ended = reason
    set(undefined)
  },
  signOut: () => {
    ended = undefined
    set(undefined)
    channel?.postMessage({ type: 'sign-out' })
  }
}

/**
 * Takes the tokens from the fragment of the address (`#token=…&refresh=…&remember=1`), which no server sees, and
 * removes it at once, from the history too. Else those that this tab has kept, else those of another tab.
 */
export async function restoreSession (): Promise<void> {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const token = fragment.get('token')
  if (token) {
    history.replaceState(history.state, '', location.pathname + location.search)
    const refreshToken = fragment.get('refresh') ?? undefined
    set({ token, refreshToken, isRemembered: fragment.get('remember') === '1' })
    return
  }
  const kept = readKept()
  if (kept) {
    set({ ...kept, isRemembered: true })
    return
  }
  await askOtherTabs()
}

async function askOtherTabs (): Promise<void> {
  if (!channel) return
  channel.postMessage({ type: 'ask' })
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, HAND_OVER_MS)
    const stop = session.subscribe(() => {
      clearTimeout(timer)
      stop()
      resolve()
    })
  })
}

function set (next: Session | undefined) {
  current = next
  try {
    if (next?.isRemembered) sessionStorage.setItem(KEY, JSON.stringify(tokensOf(next)))
    else sessionStorage.removeItem(KEY)
  } catch {} // storage that is blocked keeps nothing
  for (const listener of listeners) listener()
}

function post (type: 'tokens' | 'renewed') {
  if (current) channel?.postMessage({ type, tokens: tokensOf(current) })
}

function readKept (): Tokens | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Tokens | null
    return typeof kept?.token === 'string' ? kept : undefined
  } catch {
    return undefined
  }
}

const tokensOf = ({ token, refreshToken }: Tokens): Tokens => ({ token, refreshToken })

const sameUser = (one: string, other: string) => subjectOf(one) === subjectOf(other)

/** Whom a JWT names, without trusting it: the services verify. */
export function subjectOf (token: string): string | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const { userId, sub } = JSON.parse(atob(payload)) as { userId?: string | number, sub?: string }
    const user = userId ?? sub
    return user === undefined ? undefined : String(user)
  } catch {
    return undefined
  }
}
