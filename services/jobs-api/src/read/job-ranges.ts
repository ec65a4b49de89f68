import type { Fragment } from 'postgres'
import type { RawSql } from '@tidings/service-kit'
import { stateCode } from '../db/state-code.ts'
import { orderOf, statesOf, type JobFilter, type JobOrder } from './job-filter.ts'

/** Characters of an error that are searched: Postgres reads no more of a long one than these. */
const SEARCHED_CHARACTERS = 2000

/** A row's place in an order. */
export type SortKey = { key: number, n: number }

const KEY_COLUMNS: Record<JobOrder, string> = { created: 'created_ms', finished: 'finished_ms', arrival: 'n' }

/**
 * How the jobs of a filter are read: ranges of indexes, each in the order of the list, which Postgres merges (Merge
 * Append). Their rows have to match `covered`, which the index decides, and `matches`, for which the row is read; both
 * are undefined if the ranges hold the jobs of the filter and no others. `from`: in place of the table, rows that are
 * all read and sorted.
 */
export type JobRanges = {
  ranges: Fragment[]
  key: Fragment
  covered?: Fragment | undefined
  matches?: Fragment | undefined
  from?: Fragment | undefined
}

/** The ranges of a filter, below a cursor if one is given. */
export function rangesOf (sql: RawSql, filter: JobFilter, after?: SortKey): JobRanges {
  const { userId, name, queue, q, bulkId } = filter
  const order = orderOf(filter)
  const key = sql.unsafe(KEY_COLUMNS[order])
  const named = [...equals(sql, 'name', name), ...equals(sql, 'queue', queue)]
  const text = q === undefined ? [] : [containsText(sql, q)]
  const arrived = after ? [sql`n < ${after.key}`] : []
  if (bulkId !== undefined) {
    const conditions = [
      ...equals(sql, 'user_id', userId),
      ...inStates(sql, { states: statesOf(filter) }),
      ...named,
      ...order === 'arrival'
        ? [...arrived, ...timeConditions(sql, sql`created_ms`, filter)]
        : boundsOf(sql, key, filter, after)
    ]
    return { key, ranges: [sql``], from: ofBulk(sql, filter, conditions), matches: conjunction(sql, text) }
  }
  switch (order) {
    // The indexes by name, by queue and by both continue with (state, created_ms, n).
    case 'created': {
      const bounds = [...equals(sql, 'user_id', userId), ...named, ...boundsOf(sql, key, filter, after)]
      const ranges = stateRanges(filter).map(state => where(sql, [...bounds, ...equals(sql, 'state', state)]))
      return { key, ranges, matches: conjunction(sql, text) }
    }
    case 'finished': {
      // The literal proves to a generic plan that the partial index has the rows.
      const bounds = [sql`state >= 3`, ...boundsOf(sql, key, filter, after)]
      if (userId === undefined) {
        const matches = conjunction(sql, [...inStates(sql, filter), ...named, ...text])
        return { key, ranges: [where(sql, bounds)], matches }
      }
      const ranges = statesOf(filter).map(state =>
        where(sql, [...equals(sql, 'user_id', userId), ...equals(sql, 'state', stateCode(state)), ...bounds]))
      return { key, ranges, covered: conjunction(sql, named), matches: conjunction(sql, text) }
    }
    case 'arrival': {
      const times = timeConditions(sql, sql`created_ms`, filter)
      const matches = conjunction(sql, [...inStates(sql, filter), ...named, ...times, ...text])
      return { key, ranges: [where(sql, arrived)], matches }
    }
    default: return order satisfies never
  }
}

/** The ranges as one select of (key, n, covered), in order, with at most `limit` rows of each. */
export function merged (
  sql: RawSql, { ranges, key, covered, from = sql`jobs.jobs` }: JobRanges, limit?: number
): Fragment {
  const end = limit === undefined ? sql`` : sql`limit ${limit}`
  const columns = covered ? sql`${key} as key, n, ${covered} as covered` : sql`${key} as key, n`
  // Each range in order too, or Postgres sorts all of them (Append and Sort) instead of merging them.
  return ranges
    .map(range => sql`(select ${columns} from ${from} ${range} order by key desc, n desc ${end})`)
    .reduce((union, range) => sql`${union} union all ${range}`)
}

/** Without states, a range of an index by name or queue would not be in order: then there is one for each. */
function stateRanges ({ states, name, queue }: JobFilter): (number | undefined)[] {
  if (states === undefined && name === undefined && queue === undefined) return [undefined]
  return statesOf({ userId: '', states }).map(stateCode)
}

/**
 * Keeps one of the two upper ends of a range, `to` and the cursor, since one implies the other: with both, Postgres
 * starts the index scan at `to` and reads up to the cursor.
 */
function boundsOf (sql: RawSql, key: Fragment, { from, to }: JobFilter, after: SortKey | undefined): Fragment[] {
  const isBelowCursor = after === undefined || (to !== undefined && to <= after.key)
  if (isBelowCursor) return timeConditions(sql, key, { from, to })
  return [...timeConditions(sql, key, { from }), sql`(${key}, n) < (${after.key}, ${after.n})`]
}

function timeConditions (sql: RawSql, column: Fragment, { from, to }: Pick<JobFilter, 'from' | 'to'>): Fragment[] {
  return [
    ...(from === undefined ? [] : [sql`${column} >= ${from}`]),
    ...(to === undefined ? [] : [sql`${column} < ${to}`])
  ]
}

function equals (sql: RawSql, column: string, value: string | number | undefined): Fragment[] {
  return value === undefined ? [] : [sql`${sql.unsafe(column)} = ${value}`]
}

function inStates (sql: RawSql, { states }: Pick<JobFilter, 'states'>): Fragment[] {
  return states === undefined ? [] : [sql`state = any(${`{${states.map(stateCode).join(',')}}`}::smallint[])`]
}

/**
 * The jobs of a bulk action, at most 100,000, each by its key: `limit 1` keeps Postgres from reading an index in the
 * order of the list until it has met them.
 */
function ofBulk (sql: RawSql, { bulkId = '', userId }: JobFilter, conditions: Fragment[]): Fragment {
  const isOwned = userId === undefined ? sql`` : sql`and bulks.user_id = ${userId}`
  return sql`(
    select job.* from (
      select distinct unnest(page.jobs) as n from jobs.bulks join jobs.bulk_pages page on page.bulk = bulks.n
      where bulks.id = ${bulkId}::uuid ${isOwned}) as done
    cross join lateral (
      select n, created_ms, finished_ms from jobs.jobs ${where(sql, [sql`jobs.n = done.n`, ...conditions])} limit 1) as job
  ) as jobs`
}

/** `strpos` takes the text literally, where a pattern would have to be escaped. */
function containsText (sql: RawSql, q: string): Fragment {
  const part = sql`(select lower(${q}::text))` // once, not for each row
  return sql`(starts_with(id, ${q}) or strpos(lower(name), ${part}) > 0
    or coalesce(strpos(lower(substr(failed_reason, 1, ${SEARCHED_CHARACTERS}::int)), ${part}) > 0, false))`
}

function where (sql: RawSql, conditions: Fragment[]): Fragment {
  return sql`where ${conjunction(sql, conditions) ?? sql`true`}`
}

function conjunction (sql: RawSql, conditions: Fragment[]): Fragment | undefined {
  const [first, ...others] = conditions
  return first && others.reduce((all, condition) => sql`${all} and ${condition}`, first)
}
