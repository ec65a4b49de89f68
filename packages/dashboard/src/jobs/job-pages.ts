import type { Client, JobList, JobSummary, ListJobsQuery } from 'tidings'
import type { LiveItem } from '../live/live.ts'
import { applyEvent, keyOf, newer } from './apply-event.ts'

/** Rows of a page. */
const LIMIT = 100
/** So many pages are held, 10,000 rows; those farthest from what is seen are dropped, and asked for again. */
const MAX_PAGES = 100
/** Between two requests for the newest jobs. */
const PACE_MS = 1000

interface Page {
  /** Where it begins; undefined: at the newest job. */
  cursor: string | undefined
  size: number
  /** Undefined once they were dropped. */
  rows: JobSummary[] | undefined
  isLoading: boolean
}

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
  let pages: Page[] = []
  let next: string | null = null
  let head: JobSummary[] = []
  /** Where the loaded rows are: page and index. */
  const places = new Map<string, [page: number, index: number]>()
  let seen: [first: number, last: number] = [0, 0]
  let generation = 0
  let state = NOTHING

  function publish (change: Partial<JobPagesState> = {}) {
    const count = pages.reduce((sum, { size }) => sum + size, 0)
    state = { ...state, count, hasMore: next !== null, newCount: countNew(), ...change }
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
    const first = pages[0]?.rows?.[0]
    if (!first) return 0
    return head.filter(job => !places.has(keyOf(job)) && job.timestamp.created >= first.timestamp.created).length
  }

  async function ask (cursor: string | undefined): Promise<JobList> {
    return await client.jobs.list({ ...query, limit: LIMIT, ...(cursor && { cursor }), signal: closing.signal }).page()
  }

  /** Loads a page, or the one after the last. */
  async function load (number: number) {
    const known = pages[number]
    if (known?.isLoading || (!known && (number !== pages.length || (number > 0 && next === null)))) return
    const page: Page = known ?? { cursor: next ?? undefined, size: 0, rows: undefined, isLoading: true }
    page.isLoading = true
    if (!known) pages.push(page)
    const current = generation
    try {
      const { jobs, pagination } = await ask(page.cursor)
      if (current !== generation) return
      page.isLoading = false
      const isLast = number === pages.length - 1
      if (isLast) next = pagination.next
      // A page behind which others stand keeps its size: rows must not move.
      setRows(number, isLast ? jobs : jobs.slice(0, page.size))
      if (number === 0) head = jobs
      publish({
        status: 'ready',
        error: undefined,
        ...(number === 0 && {
          total: pagination.total,
          isCapped: pagination.totalIsCapped === true,
          scanned: pagination.isPartial && pagination.scanned
        })
      })
      drop()
    } catch (error) {
      if (current !== generation || closing.signal.aborted) return
      page.isLoading = false
      if (page.size === 0) pages = pages.filter(each => each !== page)
      publish({ error, status: state.count === 0 ? 'error' : 'ready' })
    }
  }

  function setRows (number: number, rows: JobSummary[]) {
    const page = pages[number] as Page
    const former = page.rows
    page.rows = rows.map((row, index) => {
      const old = former?.[index]
      return old && keyOf(old) === keyOf(row) ? newer(old, row) : row
    })
    page.size = Math.max(page.size, rows.length)
    rows.forEach((row, index) => places.set(keyOf(row), [number, index]))
  }

  function drop () {
    const held = pages.flatMap(({ rows }, number) => rows ? [number] : [])
    if (held.length <= MAX_PAGES) return
    const middle = (pageOf(seen[0])?.[0] ?? 0)
    const farthest = held.toSorted((a, b) => Math.abs(b - middle) - Math.abs(a - middle))
    for (const number of farthest.slice(0, held.length - MAX_PAGES)) {
      const page = pages[number] as Page
      for (const row of page.rows ?? []) places.delete(keyOf(row))
      page.rows = undefined
    }
  }

  /** The page of a row, and its index there. */
  function pageOf (index: number): [page: number, index: number] | undefined {
    let start = 0
    for (const [number, { size }] of pages.entries()) {
      if (index < start + size) return [number, index - start]
      start += size
    }
    return undefined
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
        for (const job of jobs) {
          const place = places.get(keyOf(job))
          const rows = place && pages[place[0]]?.rows
          if (rows) rows[place[1]] = newer(rows[place[1]] as JobSummary, job)
        }
        if (state.count === 0 && jobs.length > 0) reload()
        else publish({ total: pagination.total, isCapped: pagination.totalIsCapped === true, error: undefined })
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
    const from = pageOf(first)?.[0] ?? Math.max(0, pages.length - 1)
    const to = pageOf(last)?.[0] ?? pages.length
    for (let number = from; number <= Math.min(to, pages.length - 1); number++) {
      if (!pages[number]?.rows) load(number).catch(() => {})
    }
    // The next page before one reaches the end of this one.
    if (last >= state.count - LIMIT / 2 && next !== null) load(pages.length).catch(() => {})
  }

  function reload () {
    generation++
    pages = []
    places.clear()
    next = null
    seen = [0, 0]
    load(0).catch(() => {})
  }

  reload()
  return {
    get: () => state,
    subscribe: listener => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    rowAt: index => {
      const place = pageOf(index)
      return place && pages[place[0]]?.rows?.[place[1]]
    },
    loaded: () => pages.flatMap(({ rows }) => rows ?? []),
    show,
    onEvent: item => {
      if (item.type !== 'gap') {
        // Events of a state carry no queue; ids repeat only where others add jobs.
        const key = 'queue' in item ? keyOf({ queue: item.queue, id: item.jobId }) : findKey(item.jobId)
        const place = key === undefined ? undefined : places.get(key)
        const rows = place && pages[place[0]]?.rows
        if (rows) {
          rows[place[1]] = applyEvent(rows[place[1]] as JobSummary, item)
          publishSoon()
        }
        if (item.type === 'progress') return
      }
      refreshHead()
    },
    refresh: () => {
      refreshHead()
      const [from, to] = [pageOf(seen[0])?.[0] ?? 0, pageOf(seen[1])?.[0] ?? 0]
      for (let number = from; number <= to; number++) load(number).catch(() => {})
    },
    reload,
    stop: () => {
      clearTimeout(headTimer)
      closing.abort()
    }
  }

  function findKey (id: string): string | undefined {
    const first = head.find(job => job.id === id)
    if (first) return keyOf(first)
    for (const page of pages) {
      const row = page.rows?.find(job => job.id === id)
      if (row) return keyOf(row)
    }
    return undefined
  }
}
