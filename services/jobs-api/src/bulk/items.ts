import {
  numberArray, textArray, type BulkRow, type BulkStore, type ItemOutcome, type RawSql
} from '@tidings/service-kit'
import type { FoundJob } from '../read/find-jobs.ts'

/** Items that are worked on together. */
const PAGE = 200
/** Of these, at a time: BullMQ's hash of a job may have a megabyte. */
const CONCURRENCY = 20

/** An item with the row of its job, undefined where the job is gone. */
export type Item = {
  place: number
  seen_ms: number | null
  seen_seq: number | null
  intent: string | null
  row: ItemRow | undefined
}

/** What retry and cancel read of a job. */
export type ItemRow = Pick<FoundJob, 'n' | 'id' | 'queue' | 'name' | 'state' | 'created_ms' | 'event_ms' | 'event_seq' |
  'submitted_here'> & { is_cancelled: boolean }

type ItemColumns = Omit<Item, 'row'> & { [Name in keyof ItemRow]: ItemRow[Name] | null }

/** The next page; of a bulk action that was stopped, only items that were begun. */
export async function nextItems (sql: RawSql, bulk: number, { begunOnly }: { begunOnly: boolean }): Promise<Item[]> {
  const rows = await sql<ItemColumns[]>`
    select item.place, item.seen_ms, item.seen_seq, item.intent, jobs.n, jobs.id, jobs.queue, jobs.name, jobs.state,
      jobs.created_ms, jobs.event_ms, jobs.event_seq, jobs.ours as submitted_here, jobs.cancel_requested_at is not null as is_cancelled
    from (
      select * from jobs.bulk_items where bulk = ${bulk} ${begunOnly ? sql`and intent is not null` : sql``}
      order by place limit ${PAGE}
    ) as item left join jobs.jobs on jobs.n = item.job
    order by item.place`
  return rows.map(row => ({ ...row, row: row.n === null ? undefined : row as ItemRow }))
}

/** Records what is about to be done with items, unless it was recorded before. */
export async function writeIntents (
  sql: RawSql, bulk: number, intents: { place: number, intent: string }[]
): Promise<void> {
  if (intents.length === 0) return
  await sql`
    update jobs.bulk_items set intent = begun.intent
    from unnest(${numberArray(intents.map(({ place }) => place))}::int[], ${textArray(intents.map(({ intent }) => intent))}::text[]) as begun (place, intent)
    where bulk = ${bulk} and bulk_items.place = begun.place and bulk_items.intent is null`
}

/** Ends items and counts their outcomes, and records the jobs of those that were done: all or nothing. */
export async function endItems (
  sql: RawSql, store: BulkStore, bulk: number, outcomes: ItemOutcome[]
): Promise<BulkRow | undefined> {
  const places = outcomes.filter(({ outcome }) => outcome === 'done').map(({ place }) => place)
  return await sql.begin(async tx => {
    await tx`
      insert into jobs.bulk_pages (bulk, jobs)
      select bulk, array_agg(job) from jobs.bulk_items where bulk = ${bulk} and place = any(${numberArray(places)}::int[])
      group by bulk`
    return await store.record(bulk, outcomes, tx)
  })
}

/** Applies a function to items, a few at a time, in their order. */
export async function eachOf<Entry, Result> (
  entries: Entry[], act: (entry: Entry) => Promise<Result>
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, entries.length) }, async () => {
    for (let i = next++; i < entries.length; i = next++) results[i] = await act(entries[i] as Entry)
  }))
  return results
}

export const done = ({ place }: Item): ItemOutcome => ({ place, outcome: 'done' })
export const skipped = ({ place, row }: Item, reason: string): ItemOutcome =>
  ({ place, outcome: 'skipped', id: row?.id ?? '', reason })
export const failed = ({ place, row }: Item, reason: string): ItemOutcome =>
  ({ place, outcome: 'failed', id: row?.id ?? '', reason })
