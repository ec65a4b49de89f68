import { useSyncExternalStore } from 'react'
import { basePath } from '../settings.ts'

/** The part of an address that names for whom an operator acts: `/as/7/jobs` are the jobs of user 7. */
const ACTING = /^\/as\/([^/]+)(?=\/|$)/

const EVENTS = ['popstate', 'pushState', 'replaceState'] // wouter dispatches the latter two

/** For whom the page acts, from its address; undefined: for the token's own user. */
export function useActingFor (): string | undefined {
  return useSyncExternalStore(subscribe, actingFor)
}

function actingFor (): string | undefined {
  const user = ACTING.exec(location.pathname.slice(basePath.length))?.[1]
  return user === undefined ? undefined : decode(user)
}

/** Below it are all pages of that user. */
export const baseOf = (userId: string | undefined): string =>
  userId === undefined ? basePath : `${basePath}/as/${encodeURIComponent(userId)}`

/** An address of a page of another user, from the root of the site: `~` keeps wouter from adding a base. */
export const hrefAs = (userId: string, path: string): string => `~${baseOf(userId)}${path}`

function subscribe (listener: () => void): () => void {
  for (const event of EVENTS) addEventListener(event, listener)
  return () => { for (const event of EVENTS) removeEventListener(event, listener) }
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
