import createError from '@fastify/error'
import { JOB_STATES, MAX_BULK_ITEMS, type JobState, type StartJobBulk } from '@tidings/contracts'
import {
  filterOrIds, invalidInput, planAfresh, textArray, withFreshPlans, type BulkTx, type RawSql
} from '@tidings/service-kit'
import { FIRST_FINAL_STATE, stateCode } from '../db/state-code.ts'
import { needsScan } from '../read/find-page.ts'
import { filterOf, type JobFilter } from '../read/job-filter.ts'
import { merged, rangesOf, type JobRanges } from '../read/job-ranges.ts'

export type JobBulkAction = 'retry' | 'cancel'

/** The states of the jobs that an action applies to. */
const APPLIES_TO: Record<JobBulkAction, readonly JobState[]> = {
  retry: ['failed'],
  cancel: JOB_STATES.slice(0, FIRST_FINAL_STATE)
}

/** One more than a bulk action may have shows that there are too many. */
const LIMIT = MAX_BULK_ITEMS + 1

const FilterTooBroad = createError('FILTER_TOO_BROAD',
  `More than ${MAX_BULK_ITEMS} jobs have to be searched for those that match: narrow the filter, for instance by from`, 422)

export type JobSelection = { filter: JobFilter } | { userId: string, states: readonly JobState[], ids: string[] }

/**
 * The jobs that a request is about: those of its filter, or of its ids, to which the action applies.
 * @throws 400 without a filter or ids, with both, and for states to which the action does not apply
 */
export function selectionOf (
  { action, ...request }: StartJobBulk & { action: JobBulkAction }, userId: string
): JobSelection {
  const states = APPLIES_TO[action]
  const selecting = filterOrIds(request)
  if ('ids' in selecting) return { userId, states, ids: [...new Set(selecting.ids)] }
  const { filter } = selecting
  const { status = states } = filter
  const faults = status.flatMap((state, index) => states.includes(state)
    ? []
    : [{ path: `body.filter.status.${index}`, message: `${action} applies to these only: ${states.join(', ')}` }])
  if (faults.length > 0) throw invalidInput(faults)
  return { filter: filterOf({ ...filter, status: [...status] }, { userId, path: 'body.filter' }) }
}

/** Counts the jobs of a selection, up to one more than a bulk action may have. */
export async function countSelected (sql: RawSql, selection: JobSelection): Promise<number> {
  return await withFreshPlans(sql, async tx => {
    await assertSearchable(tx, selection)
    const [row] = await tx<{ count: number }[]>`
      select count(*)::int from (${selected(tx, selection)}) as selected`
    return row?.count ?? 0
  })
}

/** Writes the jobs of a selection as the items of a bulk action, newest first. Returns how many they are. */
export async function insertSelected (tx: BulkTx, bulk: number, selection: JobSelection): Promise<number> {
  await planAfresh(tx)
  await assertSearchable(tx as unknown as RawSql, selection)
  const { count } = await tx`
    insert into jobs.bulk_items (bulk, place, job, seen_ms, seen_seq)
    select ${bulk}, row_number() over (order by created_ms desc, n desc), n, event_ms, event_seq
    from (${selected(tx, selection)}) as selected`
  return count
}

const COLUMNS = 'n, created_ms, event_ms, event_seq'

function selected (sql: RawSql | BulkTx, selection: JobSelection) {
  return 'ids' in selection ? ofIds(sql, selection) : ofFilter(sql as RawSql, selection)
}

/** By the ranges of an index that a list reads; of each job the row, for its last event and for the text of `q`. */
function ofFilter (sql: RawSql, { filter }: Extract<JobSelection, { filter: unknown }>) {
  const ranges = rangesOf(sql, filter)
  const { covered, matches } = ranges
  return sql`
    select ${sql.unsafe(COLUMNS)} from (${scanned(sql, ranges)}) as scanned
    cross join lateral (
      select created_ms, event_ms, event_seq from jobs.jobs
      where jobs.n = scanned.n ${matches ? sql`and ${matches}` : sql``} limit 1
    ) as job
    ${covered ? sql`where covered` : sql``}`
}

function scanned (sql: RawSql, ranges: JobRanges) {
  return sql`select * from (${merged(sql, ranges, LIMIT)}) as ranges order by key desc, n desc limit ${LIMIT}`
}

/**
 * Where no index leads to the jobs of a filter, they are searched among as many as a bulk action may have.
 * @throws FILTER_TOO_BROAD where there are more
 */
async function assertSearchable (sql: RawSql, selection: JobSelection): Promise<void> {
  if ('ids' in selection || !needsScan(sql, selection.filter)) return
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int from (${scanned(sql, rangesOf(sql, selection.filter))}) as scanned`
  if ((row?.count ?? 0) > MAX_BULK_ITEMS) throw new FilterTooBroad()
}

/** The newest job of each id, as GET /jobs/:jobId finds it. */
function ofIds (sql: RawSql | BulkTx, { userId, states, ids }: Extract<JobSelection, { ids: unknown }>) {
  return sql`
    select ${sql.unsafe(COLUMNS)} from unnest(${textArray(ids)}::text[]) as wanted (id)
    cross join lateral (
      select ${sql.unsafe(COLUMNS)}, state from jobs.jobs
      where jobs.user_id = ${userId} and jobs.id = wanted.id order by n desc limit 1
    ) as newest
    where state = any(${`{${states.map(stateCode).join(',')}}`}::smallint[])`
}
