import { jsonArray, jsonWith, type JsonText, type ListJobsQuery } from '@tidings/contracts'
import { invalidInput, type RawSql } from '@tidings/service-kit'
import { countJobs } from './count-jobs.ts'
import { formatCursor, parseCursor, type Cursor } from './cursor.ts'
import { conditions, filterOf, rangesOf, type JobFilter } from './job-filter.ts'
import { summaryColumns, summaryJson, type SummaryRow } from './job-row.ts'

const DEFAULT_LIMIT = 10

/** The place of a page in a list: after a cursor, or at an offset. */
export type Place = { limit: number } & ({ after: Cursor } | { offset: number })

/** A page of a user's jobs, newest first, as JSON. */
export async function listJobs (sql: RawSql, userId: string, query: ListJobsQuery): Promise<JsonText> {
  const { limit = DEFAULT_LIMIT } = query
  const cursor = query.cursor === undefined ? undefined : cursorOf(query.cursor)
  const page = cursor?.page ?? query.page ?? 1
  const filter = filterOf(userId, query)
  // One row more than requested shows whether there is a next page.
  const place = { limit: limit + 1, ...(cursor ? { after: cursor } : { offset: (page - 1) * limit }) }

  const [{ total, isCapped }, rows] = await Promise.all([countJobs(sql, filter), selectPage(sql, filter, place)])
  const shown = rows.slice(0, limit)
  const pagination = {
    total,
    page,
    limit,
    pages: Math.ceil(total / limit),
    next: rows.length > limit ? cursorAfter(shown.at(-1), page) : null,
    ...(isCapped && { totalIsCapped: true as const })
  }
  return jsonWith({ pagination }, 'jobs', jsonArray(shown.map(summaryJson)))
}

/**
 * The inner select finds the rows' numbers in an index alone, so that an offset of 500,000 reads no row; the outer one
 * reads the rows of the page by primary key. After a cursor nothing is skipped: the index scan starts there.
 */
export function selectPage (sql: RawSql, wanted: JobFilter, place: Place) {
  const { filter, after } = 'after' in place ? nearerEnd(wanted, place.after) : { filter: wanted }
  const beyond = after ? sql`and (created_ms, n) < (${after.createdMs}, ${after.n})` : sql``
  // In each range too, or Postgres sorts all of them (Append and Sort) instead of merging the sorted ranges.
  const order = sql`order by created_ms desc, n desc`
  const ranges = rangesOf(filter)
    .map(state => sql`(select created_ms, n from jobs.jobs where ${conditions(sql, filter, state)} ${beyond} ${order})`)
    .reduce((all, range) => sql`${all} union all ${range}`)
  return sql<SummaryRow[]>`
    with page as materialized (
      select * from (${ranges}) as ranges ${order}
      limit ${place.limit} ${'offset' in place ? sql`offset ${place.offset}` : sql``}
    )
    select ${summaryColumns(sql)} from page join jobs.jobs as jobs using (n)
    order by page.created_ms desc, page.n desc`
}

/**
 * Keeps one of the two upper ends of a range, `to` and the cursor, since one implies the other: with both, Postgres
 * starts the index scan at `to` and reads up to the cursor.
 */
function nearerEnd (filter: JobFilter, after: Cursor): { filter: JobFilter, after?: Cursor } {
  if (filter.to !== undefined && filter.to <= after.createdMs) return { filter }
  return { filter: { ...filter, to: undefined }, after }
}

function cursorOf (text: string): Cursor {
  const cursor = parseCursor(text)
  if (cursor) return cursor
  throw invalidInput([{ path: 'querystring.cursor', message: 'is not a cursor of a list' }])
}

function cursorAfter (row: SummaryRow | undefined, page: number): string | null {
  return row ? formatCursor({ createdMs: row.created_ms, n: row.n, page: page + 1 }) : null
}
