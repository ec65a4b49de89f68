import { jsonArray, jsonWith, renderUserId, type JsonText, type ListJobsQuery } from '@tidings/contracts'
import { invalidInput, type RawSql } from '@tidings/service-kit'
import { COUNT_CAP, countJobs, type Total } from './count-jobs.ts'
import { formatCursor, parseCursor, type Cursor } from './cursor.ts'
import { findPage, needsScan, type Scan } from './find-page.ts'
import { filterOf, orderOf, type JobOrder } from './job-filter.ts'
import { summaryJson } from './job-row.ts'

const DEFAULT_LIMIT = 10

type ListOptions = {
  /** Whose jobs; undefined: those of all users. */
  userId: string | undefined
  /** Runs what searches many rows, a few at a time. */
  scan: <Result>(run: () => Promise<Result>) => Promise<Result>
}

/** A page of jobs, newest first, as JSON. */
export async function listJobs (
  sql: RawSql, query: ListJobsQuery, { userId, scan: run }: ListOptions
): Promise<JsonText> {
  const { limit = DEFAULT_LIMIT } = query
  const filter = filterOf(query, { userId, path: 'querystring' })
  const order = orderOf(filter)
  const cursor = query.cursor === undefined ? undefined : cursorOf(query.cursor, order)
  const page = cursor?.page ?? query.page ?? 1
  // One row more than requested shows whether there is a next page.
  const place = { limit: limit + 1, ...(cursor ? { after: cursor } : { offset: (page - 1) * limit }) }

  const [{ rows, scan }, counted] = needsScan(sql, filter)
    ? [await run(async () => await findPage(sql, filter, place)), undefined]
    : await Promise.all([findPage(sql, filter, place), countJobs(sql, filter)])
  const shown = rows.slice(0, limit)
  const { total, isCapped } = counted ?? totalOf(scan)
  const end = rows.length > limit ? shown.at(-1) : scan?.endedAt
  const pagination = {
    total,
    page,
    limit,
    pages: Math.ceil(total / limit),
    next: end ? formatCursor({ key: end.key, n: end.n, page: page + 1, order }) : null,
    ...(isCapped && { totalIsCapped: true as const }),
    ...(scan && { scanned: scan.rows }),
    ...(scan?.endedAt && { isPartial: true as const })
  }
  const jobs = shown.map(row => summaryJson(row, userId === undefined ? { userId: renderUserId(row.user_id) } : {}))
  return jsonWith({ pagination }, 'jobs', jsonArray(jobs))
}

/** The matches among the scanned rows. */
function totalOf (scan: Scan | undefined): Total {
  const { matching = 0, endedAt } = scan ?? {}
  return { total: Math.min(matching, COUNT_CAP), isCapped: matching > COUNT_CAP || endedAt !== undefined }
}

function cursorOf (text: string, order: JobOrder): Cursor {
  const cursor = parseCursor(text)
  if (!cursor) throw invalidCursor('is not a cursor of a list')
  if (cursor.order !== order) {
    throw invalidCursor(`belongs to a list ${NAMES[cursor.order]}, and this list is one ${NAMES[order]}`)
  }
  return cursor
}

const NAMES: Record<JobOrder, string> = {
  created: 'with sort=created',
  finished: 'with sort=finished',
  arrival: 'of all users with sort=created'
}

function invalidCursor (message: string): Error {
  return invalidInput([{ path: 'querystring.cursor', message }])
}
