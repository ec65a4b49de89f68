import { useSyncExternalStore } from 'react'
import { useMe } from './live/tidings.tsx'
import { routes, type PageRoute } from './routes.tsx'
import { shownSections, type Section } from './session/embedding.ts'

/** The pages that this user may see here; all that could be until it is known what the token may do. */
export function useVisibleRoutes (): PageRoute[] {
  const me = useMe()
  const sections = useSyncExternalStore(shownSections.subscribe, shownSections.get)
  return routes.filter(({ path, scope }) =>
    sections.includes(sectionOf(path)) && (!scope || !me || me.scopes.includes(scope)))
}

function sectionOf (path: string): Section {
  if (/^\/jobs(\/|$)/.test(path)) return 'jobs'
  return /^\/operators(\/|$)/.test(path) ? 'operators' : 'webhooks'
}
