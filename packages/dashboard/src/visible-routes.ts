import { useSyncExternalStore } from 'react'
import { useActing } from './live/tidings.tsx'
import { routes, type PageRoute } from './routes.tsx'
import { shownSections, type Section } from './session/embedding.ts'
import { useScopes } from './session/use-can.ts'

/** The pages that this user may see here; all that could be until it is known what the token may do. */
export function useVisibleRoutes (): PageRoute[] {
  const can = useScopes()
  const isActing = useActing() !== undefined
  const sections = useSyncExternalStore(shownSections.subscribe, shownSections.get)
  return routes.filter(({ path, scope }) => {
    const section = sectionOf(path)
    return sections.includes(section) && (!scope || can(scope)) && !(isActing && section === 'operators')
  })
}

function sectionOf (path: string): Section {
  if (/^\/jobs(\/|$)/.test(path)) return 'jobs'
  return /^\/operators(\/|$)/.test(path) ? 'operators' : 'webhooks'
}
