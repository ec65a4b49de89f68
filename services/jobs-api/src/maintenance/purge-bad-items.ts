import type { RawSql } from '@tidings/service-kit'
import { inBatches, type Retention } from './in-batches.ts'

const BATCH = 5000
/** The most rows that are kept, however many a flood makes: some 50 MB. */
const MAX_KEPT = 100_000

/** Purges the records of items that were last skipped so many days ago, and the oldest of too many. */
export async function purgeBadItems (sql: RawSql, { days, ...run }: Retention): Promise<void> {
  await inBatches(async size => {
    const { count } = await sql`
      delete from jobs.bad_items where ctid = any(array(
        select ctid from jobs.bad_items where last_at < now() - make_interval(days => ${days}) order by last_at limit ${size}))`
    return count
  }, BATCH, run)
  await inBatches(async size => {
    const { count } = await sql`
      delete from jobs.bad_items where ctid = any(array(
        select ctid from jobs.bad_items order by last_at desc offset ${MAX_KEPT} limit ${size}))`
    return count
  }, BATCH, run)
}
