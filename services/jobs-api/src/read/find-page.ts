import { withFreshPlans, type RawSql } from '@tidings/service-kit'
import type { JobFilter } from './job-filter.ts'
import { merged, rangesOf, type JobRanges, type SortKey } from './job-ranges.ts'
import { summaryColumns, type SummaryRow } from './job-row.ts'

/** Rows that are searched for a page where no index leads to the jobs of a filter: 0.1 to 0.3 s of Postgres. */
const SCAN_ROWS = 100_000
/** Rows of one statement: a slow disk, from which each has to be read, has them within the timeout of statements. */
export const SCAN_STEP = 10_000
/** No further statement starts after this time; the page says how many rows were searched. */
const SCAN_MS = 5000

/** The place of a page in a list: after a row, or at an offset. */
export type Place = { limit: number } & ({ after: SortKey } | { offset: number })

/** A row with its key in the order: the next page continues below it. */
export type PageRow = SummaryRow & { key: number, user_id: string }

/** What was searched: how many rows, how many of them match, and the last one, if the search ended before the list. */
export type Scan = { rows: number, matching: number, endedAt: SortKey | undefined }

/** A page, and the scan for it where no index leads to the jobs of the filter. */
export type Page = { rows: PageRow[], scan: Scan | undefined }
type ScannedPage = { rows: PageRow[], scan: Scan }

/** Reads a page of the jobs of a filter, newest first. A search ends after `scanMs`, with what it has found by then. */
export async function findPage (
  sql: RawSql, filter: JobFilter, place: Place, { scanMs = SCAN_MS } = {}
): Promise<Page> {
  return needsScan(sql, filter)
    ? await withFreshPlans(sql, async tx => await search(tx, filter, place, scanMs))
    : { rows: await selectPage(sql, filter, place), scan: undefined }
}

/** Searches the newest 100,000 rows of a filter, after a cursor those below it, a step at a time. */
async function search (sql: RawSql, filter: JobFilter, place: Place, scanMs: number): Promise<ScannedPage> {
  // The rows of a bulk action are all read for each statement.
  const step = filter.bulkId === undefined ? SCAN_STEP : SCAN_ROWS
  const until = performance.now() + scanMs
  const rows: PageRow[] = []
  const scan: Scan = { rows: 0, matching: 0, endedAt: afterOf(place) }
  let offset = 'offset' in place ? place.offset : 0
  do {
    const wanted = { limit: place.limit - rows.length, offset, after: scan.endedAt }
    const found = partOf(await scanStep(sql, filter, wanted, step))
    rows.push(...found.rows)
    offset = Math.max(0, offset - found.scan.matching)
    scan.rows += found.scan.rows
    scan.matching += found.scan.matching
    scan.endedAt = found.scan.endedAt
  } while (scan.endedAt && scan.rows < SCAN_ROWS && performance.now() < until)
  return { rows, scan }
}

/** Whether the jobs of a filter have to be searched for, row by row, in the ranges of an index. */
export function needsScan (sql: RawSql, filter: JobFilter): boolean {
  const { covered, matches, from } = rangesOf(sql, filter)
  return [covered, matches, from].some(part => part !== undefined)
}

/**
 * The inner select finds the rows' numbers in an index alone, so that an offset of 500,000 reads no row; the outer one
 * reads the rows of the page by primary key. After a cursor nothing is skipped: the index scan starts there.
 */
export function selectPage (sql: RawSql, filter: JobFilter, place: Place) {
  return sql<PageRow[]>`
    with page as materialized (
      select * from (${merged(sql, rangesOf(sql, filter, afterOf(place)))}) as ranges
      order by key desc, n desc ${limitOf(sql, place)}
    )
    select ${summaryColumns(sql)}, jobs.user_id, page.key from page join jobs.jobs as jobs using (n)
    order by page.key desc, page.n desc`
}

type ScannedRow = (PageRow | { n: null }) & {
  rows: number
  matching: number
  last_key: number | null
  last_n: number | null
}

/** What is wanted of one step; a limit of 0 where the page is full, and the matches are still counted. */
type Wanted = { limit: number, offset?: number, after?: SortKey | undefined }

/**
 * Searches the newest rows of the ranges, after a key those below it; one row with nulls if none matches. The ranges
 * are read from an index alone, and each row by its key: `limit 1` keeps Postgres from a join that reads the whole
 * table or sorts a whole range.
 */
export function scanStep (sql: RawSql, filter: JobFilter, { limit, offset = 0, after }: Wanted, step = SCAN_STEP) {
  const ranges = rangesOf(sql, filter, after)
  const { covered, matches } = ranges
  return sql<ScannedRow[]>`
    with scanned as materialized (
      select * from (${merged(sql, ranges, step)}) as ranges order by key desc, n desc limit ${step}
    ), found as materialized (
      select key, scanned.n from scanned
      ${matches ? sql`cross join lateral (${rowOf(sql, matches)}) as matching` : sql``}
      ${covered ? sql`where covered` : sql``}
    ), page as materialized (
      select * from found order by key desc, n desc limit ${limit} offset ${offset}
    )
    select ${summaryColumns(sql)}, jobs.user_id, page.key, counted.*, last.key as last_key, last.n as last_n
    from (select (select count(*)::int from scanned) as rows, (select count(*)::int from found) as matching) as counted
    left join (select key, n from scanned order by key, n limit 1) as last on counted.rows = ${step}
    left join page on true
    left join jobs.jobs as jobs on jobs.n = page.n
    order by page.key desc, page.n desc`
}

function rowOf (sql: RawSql, matches: NonNullable<JobRanges['matches']>) {
  return sql`select from jobs.jobs where jobs.n = scanned.n and ${matches} limit 1`
}

function partOf (found: ScannedRow[]): ScannedPage {
  const { rows = 0, matching = 0, last_key: key = null, last_n: n = null } = found[0] ?? {}
  return {
    rows: found.filter(row => row.n !== null),
    scan: { rows, matching, endedAt: key === null || n === null ? undefined : { key, n } }
  }
}

function afterOf (place: Place): SortKey | undefined {
  return 'after' in place ? place.after : undefined
}

function limitOf (sql: RawSql, place: Place) {
  return sql`limit ${place.limit} ${'offset' in place ? sql`offset ${place.offset}` : sql``}`
}
