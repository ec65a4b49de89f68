import { withFreshPlans, type RawSql } from '@tidings/service-kit'
import type { JobFilter } from './job-filter.ts'
import { merged, rangesOf, type JobRanges, type SortKey } from './job-ranges.ts'
import { summaryColumns, type SummaryRow } from './job-row.ts'

/** Rows that are searched at a time where no index leads to the jobs of a filter: 0.1 to 0.3 s of Postgres. */
export const SCAN_ROWS = 100_000

/** The place of a page in a list: after a row, or at an offset. */
export type Place = { limit: number } & ({ after: SortKey } | { offset: number })

/** A row with its key in the order: the next page continues below it. */
export type PageRow = SummaryRow & { key: number, user_id: string }

/** What was searched: how many rows, how many of them match, and the last one, if the search ended before the list. */
export type Scan = { rows: number, matching: number, endedAt: SortKey | undefined }

/** A page, and the scan for it where no index leads to the jobs of the filter. */
export type Page = { rows: PageRow[], scan: Scan | undefined }

/** Reads a page of the jobs of a filter, newest first. */
export async function findPage (sql: RawSql, filter: JobFilter, place: Place): Promise<Page> {
  return needsScan(sql, filter)
    ? pageOf(await withFreshPlans(sql, async tx => await scanPage(tx, filter, place)))
    : { rows: await selectPage(sql, filter, place), scan: undefined }
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

/**
 * Searches the newest 100,000 rows of the ranges, after a cursor those below it; one row with nulls if none matches.
 * The ranges are read from an index alone, and each row by its key: `limit 1` keeps Postgres from a join that reads
 * the whole table or sorts a whole range.
 */
export function scanPage (sql: RawSql, filter: JobFilter, place: Place) {
  const ranges = rangesOf(sql, filter, afterOf(place))
  const { covered, matches } = ranges
  return sql<ScannedRow[]>`
    with scanned as materialized (
      select * from (${merged(sql, ranges, SCAN_ROWS)}) as ranges order by key desc, n desc limit ${SCAN_ROWS}
    ), found as materialized (
      select key, scanned.n from scanned
      ${matches ? sql`cross join lateral (${rowOf(sql, matches)}) as matching` : sql``}
      ${covered ? sql`where covered` : sql``}
    ), page as materialized (
      select * from found order by key desc, n desc ${limitOf(sql, place)}
    )
    select ${summaryColumns(sql)}, jobs.user_id, page.key, counted.*, last.key as last_key, last.n as last_n
    from (select (select count(*)::int from scanned) as rows, (select count(*)::int from found) as matching) as counted
    left join (select key, n from scanned order by key, n limit 1) as last on counted.rows = ${SCAN_ROWS}
    left join page on true
    left join jobs.jobs as jobs on jobs.n = page.n
    order by page.key desc, page.n desc`
}

function rowOf (sql: RawSql, matches: NonNullable<JobRanges['matches']>) {
  return sql`select from jobs.jobs where jobs.n = scanned.n and ${matches} limit 1`
}

function pageOf (found: ScannedRow[]): Page {
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
