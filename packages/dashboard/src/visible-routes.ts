import { useSyncExternalStore } from 'react'
import { useActing } from './live/tidings.tsx'
import { routes, type PageRoute } from './routes.tsx'
import { shownSections, type Section } from './session/embedding.ts'
import { useScopes } from './session/use-can.ts'

/** The pages that there are here, and whether the token allows them; all that could until that is known. */
export function useRoutes (): (PageRoute & { isAllowed: boolean })[] {
  const can = useScopes()
  const isActing = useActing() !== undefined
  const sections = useSyncExternalStore(shownSections.subscribe, shownSections.get)
  return routes
    .filter(({ path }) => {
      const section = sectionOf(path)
      return (!section || sections.includes(section)) && !(isActing && section === 'operators')
    })
    .map(route => ({ ...route, isAllowed: !route.scope || can(route.scope) }))
}

/** The pages that this user may see here. */
export function useVisibleRoutes (): PageRoute[] {
  return useRoutes().filter(({ isAllowed }) => isAllowed)
}

/** Undefined for what is there in any case. */
function sectionOf (path: string): Section | undefined {
  if (/^\/jobs(\/|$)/.test(path)) return 'jobs'
  if (/^\/e(\/|$)/.test(path)) return undefined
  return /^\/operators(\/|$)/.test(path) ? 'operators' : 'webhooks'
}
