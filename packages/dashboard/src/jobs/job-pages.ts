import type { Client, JobEvent, JobList, JobSummary, ListJobsQuery } from 'tidings'
import type { LiveItem } from '../live/live.ts'
import { applyEvent, keyOf, newer } from './apply-event.ts'
import { createJobRows, type RowPage } from './job-rows.ts'

/** Rows of a page. */
const LIMIT = 100
/** Jobs without a row of which the newest event is kept. */
const MAX_EARLY = 1000
/** Between two requests for the newest jobs. */
const PACE_MS = 1000

export interface JobPagesState {
  /** Rows that can be scrolled to. */
  count: number
  /** Of all jobs that match; `isCapped`: at least so many. */
  total: number
  isCapped: boolean
  /** The search has not seen all jobs: so many it has. */
  scanned: number | undefined
  hasMore: boolean
  /** Jobs that have come since, above the first row; at most a page of them. */
  newCount: number
  status: 'loading' | 'ready' | 'error'
  error: unknown
}

/** Of a list that is not asked for yet. */
export const NOTHING: JobPagesState = {
  count: 0,
  total: 0,
  isCapped: false,
  scanned: undefined,
  hasMore: false,
  newCount: 0,
  status: 'loading',
  error: undefined
}

export interface JobPages {
  get: () => JobPagesState
  subscribe: (listener: () => void) => () => void
  rowAt: (index: number) => JobSummary | undefined
  /** Rows that are loaded, in their order. */
  loaded: () => JobSummary[]
  /** Which rows are seen: what is missing of them is loaded, and the page after them. */
  show: (first: number, last: number) => void
  onEvent: (item: LiveItem) => void
  /** Asks again for what is seen, and for the newest. */
  refresh: () => void
  /** Begins at the newest job once more. */
  reload: () => void
  stop: () => void
}

/**
 * A list of jobs of any length, newest first, in pages. Rows change in place and stay where they are, whatever comes
 * and goes; what has come above them is counted.
 */
export function createJobPages (client: Pick<Client, 'jobs'>, query: ListJobsQuery): JobPages {
  const listeners = new Set<() => void>()
  const closing = new AbortController()
  const rows = createJobRows()
  /** Newest events of jobs without a row, by job id: they may be ahead of the response that brings the row. */
  const early = new Map<string, JobEvent>()
  let next: string | null = null
  let head: JobSummary[] = []
  let seen: [first: number, last: number] = [0, 0]
  let generation = 0
  let state = NOTHING

  function publish (change: Partial<JobPagesState> = {}) {
    state = { ...state, count: rows.count, hasMore: next !== null, newCount: countNew(), ...change }
    for (const listener of listeners) listener()
  }

  let isDrawing = false
  /** However fast events come, one change a frame is enough. */
  function publishSoon () {
    if (isDrawing) return
    isDrawing = true
    setTimeout(() => {
      isDrawing = false
      if (!closing.signal.aborted) publish()
    }, 16)
  }

  function countNew (): number {
    const first = rows.pages[0]?.rows?.[0]
    if (!first) return 0
    return head.filter(job => !rows.has(job) && job.timestamp.created >= first.timestamp.created).length
  }

  async function ask (cursor: string | undefined): Promise<JobList> {
    const page = { limit: LIMIT, ...(cursor && { cursor }), signal: closing.signal }
    const list = await client.jobs.list({ ...query, ...page }).page()
    return { ...list, jobs: list.jobs.map(upToDate) }
  }

  function keepEarly (event: JobEvent) {
    early.delete(event.jobId)
    early.set(event.jobId, event)
    const [oldest] = early.keys()
    if (early.size > MAX_EARLY && oldest !== undefined) early.delete(oldest)
  }

  function upToDate (job: JobSummary): JobSummary {
    const event = early.get(job.id)
    const isOwn = event !== undefined && (!('queue' in event) || event.queue === job.queue)
    return isOwn ? applyEvent(job, event) : job
  }

  /** Loads a page, or the one after the last. */
  async function load (number: number) {
    const { pages } = rows
    const known = pages[number]
    if (known?.isLoading || (!known && (number !== pages.length || (number > 0 && next === null)))) return
    const page: RowPage = known ?? { cursor: next ?? undefined, size: 0, rows: undefined, isLoading: true }
    page.isLoading = true
    if (!known) rows.add(page)
    const current = generation
    try {
      const list = await ask(page.cursor)
      if (current === generation) take(number, page, list)
    } catch (error) {
      if (current !== generation || closing.signal.aborted) return
      page.isLoading = false
      if (page.size === 0) rows.remove(page)
      publish({ error, status: state.count === 0 ? 'error' : 'ready' })
    }
  }

  function take (number: number, page: RowPage, { jobs, pagination }: JobList) {
    page.isLoading = false
    const isLast = number === rows.pages.length - 1
    if (isLast) next = pagination.next
    // A page behind which others stand keeps its size: rows must not move.
    rows.set(number, isLast ? jobs : jobs.slice(0, page.size))
    if (number === 0) head = jobs
    const scanned = pagination.isPartial && pagination.scanned
    publish({ status: 'ready', error: undefined, ...(number === 0 && { ...totalOf(pagination), scanned }) })
    rows.dropFarFrom(seen[0])
  }

  let headTimer: ReturnType<typeof setTimeout> | undefined
  let isHeadDue = false
  function refreshHead () {
    isHeadDue = true
    if (headTimer !== undefined) return
    const run = async () => {
      isHeadDue = false
      const current = generation
      try {
        const { jobs, pagination } = await ask(undefined)
        if (current !== generation) return
        head = jobs
        for (const job of jobs) rows.change(keyOf(job), row => newer(row, job))
        if (state.count === 0 && jobs.length > 0) reload()
        else publish({ ...totalOf(pagination), error: undefined })
      } catch (error) {
        if (!closing.signal.aborted && current === generation) publish({ error })
      }
    }
    headTimer = setTimeout(() => {
      run().finally(() => {
        headTimer = undefined
        if (isHeadDue && !closing.signal.aborted) refreshHead()
      }).catch(() => {})
    }, PACE_MS)
  }

  function show (first: number, last: number) {
    seen = [first, last]
    const { pages } = rows
    const from = rows.placeOf(first)?.[0] ?? Math.max(0, pages.length - 1)
    const to = rows.placeOf(last)?.[0] ?? pages.length
    for (let number = from; number <= Math.min(to, pages.length - 1); number++) {
      if (!pages[number]?.rows) load(number).catch(() => {})
    }
    // The next page before one reaches the end of this one.
    if (last >= state.count - LIMIT / 2 && next !== null) load(pages.length).catch(() => {})
  }

  function reload () {
    generation++
    rows.clear()
    next = null
    seen = [0, 0]
    load(0).catch(() => {})
  }

  function onEvent (item: LiveItem) {
    if (item.type !== 'gap') {
      // Events of a state carry no queue.
      const key = 'queue' in item ? keyOf({ queue: item.queue, id: item.jobId }) : rows.keyOfId(item.jobId)
      if (key !== undefined && rows.change(key, row => applyEvent(row, item))) publishSoon()
      else keepEarly(item)
      if (item.type === 'progress') return
    }
    refreshHead()
  }

  reload()
  return {
    get: () => state,
    subscribe: listener => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    rowAt: rows.rowAt,
    loaded: rows.held,
    show,
    onEvent,
    refresh: () => {
      refreshHead()
      const [from, to] = [rows.placeOf(seen[0])?.[0] ?? 0, rows.placeOf(seen[1])?.[0] ?? 0]
      for (let number = from; number <= to; number++) load(number).catch(() => {})
    },
    reload,
    stop: () => {
      clearTimeout(headTimer)
      closing.abort()
    }
  }
}

const totalOf = ({ total, totalIsCapped }: JobList['pagination']) => ({ total, isCapped: totalIsCapped === true })
