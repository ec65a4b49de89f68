import { settings } from '../settings.ts'
import { session } from './session.ts'

/** What the page may show; `DASHBOARD_SECTIONS`, or fewer of them where another application embeds the page. */
export type Section = 'jobs' | 'webhooks' | 'operators'

/** What an application hands over to the page that it embeds, and may send again at any time. */
interface HandOver {
  type: 'tidings:session'
  token: string
  refreshToken?: string
  theme?: 'light' | 'dark' | 'system'
  /** A CSS colour. */
  accent?: string
  sections?: Section[]
}

/** How long the application has to send a new token. */
const TOKEN_WAIT_MS = 10_000

/** Another page has this one in a frame. */
export const isEmbedded: boolean = window.parent !== window

let sections: readonly Section[] = settings.sections
const listeners = new Set<() => void>()

export const shownSections = {
  get: (): readonly Section[] => sections,
  subscribe: (listener: () => void) => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }
}

/**
 * Takes the session from the application that embeds the page, if its origin is one of `DASHBOARD_FRAME_ANCESTORS`.
 * What is sent to it holds no secret, so that every origin may have it.
 */
export function listenToParent (): void {
  window.addEventListener('message', ({ origin, source, data }: MessageEvent<unknown>) => {
    if (source !== window.parent || !isHandOver(data) || !isTrusted(origin)) return
    if (data.theme) document.documentElement.dataset.theme = data.theme
    if (data.accent && CSS.supports('color', data.accent)) {
      document.documentElement.style.setProperty('--accent', data.accent)
    }
    if (data.sections) {
      sections = settings.sections.filter(section => data.sections?.includes(section))
      for (const listener of listeners) listener()
    }
    session.begin({ token: data.token, refreshToken: data.refreshToken, isRemembered: false })
  })
  post({ type: 'tidings:ready' })
}

/** Requests a token from the application: there is no session any more. */
export function requestToken (): void {
  post({ type: 'tidings:token-needed' })
}

/** Asks the application for a token in the place of `used`, which has ended; undefined where none comes. */
export async function askParent (used: string, signal: AbortSignal): Promise<string | undefined> {
  if (!isEmbedded) return undefined
  const within = AbortSignal.any([signal, AbortSignal.timeout(TOKEN_WAIT_MS)])
  return await new Promise(resolve => {
    const finish = (token?: string) => {
      stop()
      within.removeEventListener('abort', giveUp)
      resolve(token)
    }
    const giveUp = () => finish()
    const stop = session.subscribe(() => {
      const token = session.get()?.token
      if (token && token !== used) finish(token)
    })
    within.addEventListener('abort', giveUp)
    requestToken()
  })
}

function post (message: { type: string }): void {
  window.parent.postMessage(message, '*')
}

function isHandOver (data: unknown): data is HandOver {
  if (typeof data !== 'object' || data === null) return false
  const { type, token, refreshToken, theme, sections } = data as Record<string, unknown>
  return type === 'tidings:session' && typeof token === 'string' &&
    (refreshToken === undefined || typeof refreshToken === 'string') &&
    (theme === undefined || ['light', 'dark', 'system'].includes(theme as string)) &&
    (sections === undefined || Array.isArray(sections))
}

/** As a browser reads sources of `frame-ancestors`, for those with a scheme and a host; `*` alone trusts nobody. */
function isTrusted (origin: string): boolean {
  return settings.frameAncestors.split(/\s+/).some(source => {
    if (source === '\'self\'') return origin === location.origin
    const wildcard = /^(https?:\/\/)\*(\.[^/]+)\/?$/.exec(source)
    if (wildcard) return origin.startsWith(wildcard[1] as string) && origin.endsWith(wildcard[2] as string)
    return source.replace(/\/$/, '') === origin
  })
}
