import { useEffect, useState, useSyncExternalStore } from 'react'
import type { ListJobsQuery } from 'tidings'
import { useClient, useLiveEvents, useLiveStatus, usePolling } from '../live/tidings.tsx'
import { createJobPages, NOTHING, type JobPages, type JobPagesState } from './job-pages.ts'

const unsubscribed = () => () => {}

/** The list of a query, kept up to date: by events, and by asking while there are none. */
export function useJobPages (query: ListJobsQuery): { pages: JobPages | undefined, state: JobPagesState } {
  const client = useClient()
  const key = JSON.stringify(query)
  const [pages, setPages] = useState<JobPages>()
  useEffect(() => {
    const created = createJobPages(client, JSON.parse(key) as ListJobsQuery)
    setPages(created)
    return created.stop
  }, [client, key])

  useLiveEvents(item => pages?.onEvent(item))
  const polling = usePolling()
  useEffect(() => {
    if (!polling || !pages) return
    const timer = setInterval(() => { if (!document.hidden) pages.refresh() }, polling)
    return () => clearInterval(timer)
  }, [pages, polling])
  // What was missed may have left the list, which no event of a row says.
  const { state: live } = useLiveStatus()
  useEffect(() => { if (live === 'live') pages?.refresh() }, [pages, live])

  const state = useSyncExternalStore(pages?.subscribe ?? unsubscribed, () => pages?.get() ?? NOTHING)
  return { pages, state }
}
