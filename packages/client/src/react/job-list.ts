import { createPause, onAbort } from '../abort.ts'
import { isTransient } from '../errors.ts'
import { isNewer } from '../event-id.ts'
import type { Client } from '../client.ts'
import type { Jobs, JobSchemas } from '../jobs.ts'
import type { JobEvent, JobList, JobSummary, ListJobsQuery } from '../types.ts'
import { createStore, nextFrame, type Store } from './store.ts'

/** Between two requests for the same list. */
const PACE_MS = 1000
/** While nothing pushes. */
const POLL_MS = 5000

export type JobsFilter = Omit<ListJobsQuery, 'page' | 'cursor' | 'after'>

export interface JobListState {
  /** Newest first. They change in place; rows neither come nor go by themselves. */
  jobs: JobSummary[]
  /** `polling`: nothing can push for now, and the list is asked for every five seconds. */
  status: 'loading' | 'live' | 'polling' | 'error'
  error: unknown
  /** Jobs above that have come since, up to a page of them. */
  newCount: number
  /** There are older ones. */
  hasMore: boolean
}

export interface JobListStore extends Store<JobListState> {
  showNew: () => void
  loadMore: () => Promise<void>
}

export type ListClient = Pick<Client, 'status' | 'onStatus' | 'onEvent'> & { jobs: Pick<Jobs<JobSchemas>, 'list'> }

export function createJobList (client: ListClient, filter: JobsFilter, initial: JobList | undefined): JobListStore {
  let shown = initial?.jobs ?? []
  let next = initial?.pagination.next ?? null
  /** The newest first page. */
  let head = initial
  let publish: (change?: Partial<JobListState>) => void = () => {}

  const fresh = () => {
    const ids = new Set(shown.map(idOf))
    const last = shown.at(-1)?.timestamp.created ?? 0
    return head?.jobs.filter(job => !ids.has(idOf(job)) && (next === null || job.timestamp.created >= last)) ?? []
  }
  const state = () => ({ jobs: shown, newCount: fresh().length, hasMore: next !== null })

  const store = createStore<JobListState>({ ...state(), status: 'loading', error: undefined }, (set, signal) => {
    const pause = createPause(signal)
    let isLive = client.status.state === 'live'
    let isDue = true
    let isWaiting = false
    let isUnshown = false
    publish = change => {
      isUnshown = false
      set({ ...state(), ...change })
    }
    const refresh = () => {
      isDue = true
      if (isWaiting) pause.wake()
    }
    const removers = [
      client.onStatus(({ state }) => {
        isLive = state === 'live'
        refresh()
      }),
      client.onEvent(event => {
        const index = event.type === 'gap' ? -1 : shown.findIndex(job => isOf(job, event))
        if (index >= 0) {
          shown = shown.with(index, changed(shown[index] as JobSummary, event as JobEvent))
          showSoon()
        } else if (event.type !== 'progress') refresh()
      })
    ]
    const stop = () => { for (const remove of removers) remove() }
    onAbort([signal], stop)

    /** Rows that events have changed, a frame at a time. */
    function showSoon () {
      if (!isUnshown) nextFrame().then(() => publish(), () => {})
      isUnshown = true
    }

    async function ask () {
      while (!signal.aborted) {
        isDue = false
        try {
          head = await client.jobs.list({ ...filter, signal }).page()
          if (shown.length === 0) [shown, next] = [head.jobs, head.pagination.next]
          else shown = shown.map(job => newest(job, head?.jobs.find(other => idOf(other) === idOf(job))))
          publish({ status: isLive ? 'live' : 'polling', error: undefined })
        } catch (error) {
          if (!isTransient(error)) throw error
        }
        await pause.wait(PACE_MS)
        isWaiting = true
        if (!isDue) await pause.wait(isLive ? undefined : POLL_MS)
        isWaiting = false
      }
    }

    ask().catch((error: unknown) => {
      stop()
      set({ status: 'error', error })
    })
  })

  return {
    ...store,
    showNew: () => {
      if (!head) return
      const ids = new Set(head.jobs.map(idOf))
      const overlaps = shown.some(job => ids.has(idOf(job)))
      const last = head.jobs.at(-1)?.timestamp.created ?? 0
      const older = overlaps ? shown.filter(job => !ids.has(idOf(job)) && job.timestamp.created <= last) : []
      if (!overlaps) next = head.pagination.next
      shown = [...head.jobs, ...older]
      publish()
    },
    loadMore: async () => {
      if (next === null) return
      const page = await client.jobs.list({ ...filter, cursor: next }).page()
      const ids = new Set(shown.map(idOf))
      shown = [...shown, ...page.jobs.filter(job => !ids.has(idOf(job)))]
      next = page.pagination.next
      publish()
    }
  }
}

const idOf = ({ queue, id }: JobSummary) => `${queue}:${id}`

const isOf = ({ id, queue, name }: JobSummary, event: JobEvent) =>
  event.jobId === id && ('queue' in event ? event.queue === queue : event.name === name)

const newest = (job: JobSummary, other: JobSummary | undefined) =>
  other && !isNewer(job.lastEventId, other.lastEventId) ? other : job

function changed (job: JobSummary, event: JobEvent): JobSummary {
  const { type, eventId, timestamp } = event
  if (!isNewer(eventId, job.lastEventId)) return job
  const next = { ...job, lastEventId: eventId }
  if (type === 'progress') return { ...next, progress: event.progress }
  const state = type === 'state' ? event.state : type
  const times = state === 'active' ? { started: timestamp } : { finished: type === 'state' ? null : timestamp }
  return { ...next, state, timestamp: { ...job.timestamp, ...times } }
}
