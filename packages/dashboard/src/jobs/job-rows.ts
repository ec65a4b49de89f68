import type { JobSummary } from 'tidings'
import { keyOf, newer } from './apply-event.ts'

/** So many pages are held, 10,000 rows; those farthest from what is seen are dropped, and asked for again. */
const MAX_PAGES = 100

export interface RowPage {
  /** Where it begins; undefined: at the newest job. */
  cursor: string | undefined
  /** Rows that it takes in the list, also once they were dropped. */
  size: number
  /** Undefined once they were dropped. */
  rows: JobSummary[] | undefined
  isLoading: boolean
}

/** Rows of a list in pages. A row stays where it is: a page that was dropped keeps its size. */
export function createJobRows () {
  let pages: RowPage[] = []
  /** Where the rows are that are held: page and index. */
  const places = new Map<string, [page: number, index: number]>()
  /** Their keys by their ids, which repeat in other queues only where others add jobs. */
  const keys = new Map<string, string>()

  /** The page of a row, and its index there. */
  function placeOf (index: number): [page: number, index: number] | undefined {
    let start = 0
    for (const [number, { size }] of pages.entries()) {
      if (index < start + size) return [number, index - start]
      start += size
    }
    return undefined
  }

  return {
    get pages (): readonly RowPage[] { return pages },
    get count () { return pages.reduce((sum, { size }) => sum + size, 0) },
    placeOf,
    rowAt: (index: number): JobSummary | undefined => {
      const place = placeOf(index)
      return place && pages[place[0]]?.rows?.[place[1]]
    },
    has: (job: JobSummary) => places.has(keyOf(job)),
    held: () => pages.flatMap(({ rows }) => rows ?? []),
    add: (page: RowPage) => { pages.push(page) },
    remove: (page: RowPage) => { pages = pages.filter(each => each !== page) },
    clear: () => {
      pages = []
      places.clear()
      keys.clear()
    },
    /** What an answer has; of a row that an event has changed since, what that says stays. */
    set: (number: number, rows: JobSummary[]) => {
      const page = pages[number] as RowPage
      const former = page.rows
      page.rows = rows.map((row, index) => {
        const old = former?.[index]
        return old && keyOf(old) === keyOf(row) ? newer(old, row) : row
      })
      page.size = Math.max(page.size, rows.length)
      rows.forEach((row, index) => {
        places.set(keyOf(row), [number, index])
        keys.set(row.id, keyOf(row))
      })
    },
    keyOfId: (id: string): string | undefined => keys.get(id),
    /** Changes a row in place; false where it is not held. */
    change: (key: string, change: (job: JobSummary) => JobSummary): boolean => {
      const place = places.get(key)
      const rows = place && pages[place[0]]?.rows
      if (!rows) return false
      rows[place[1]] = change(rows[place[1]] as JobSummary)
      return true
    },
    /** Drops what lies farthest from this row, beyond what may be held. */
    dropFarFrom: (index: number) => {
      const held = pages.flatMap(({ rows }, number) => rows ? [number] : [])
      const middle = placeOf(index)?.[0] ?? 0
      const farthest = held.toSorted((a, b) => Math.abs(b - middle) - Math.abs(a - middle))
      for (const number of farthest.slice(0, Math.max(0, held.length - MAX_PAGES))) {
        const page = pages[number] as RowPage
        for (const row of page.rows ?? []) {
          places.delete(keyOf(row))
          keys.delete(row.id)
        }
        page.rows = undefined
      }
    }
  }
}
