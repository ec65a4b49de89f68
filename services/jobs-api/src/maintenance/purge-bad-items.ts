import type { RawSql } from '@tidings/service-kit'
import { inPages } from './in-batches.ts'

const AT_A_TIME = 5000
/** However many somebody makes: some 50 MB. */
const KEPT = 100_000

/** Forgets items that were skipped so long ago, and the oldest of too many. */
export async function forgetBadItems (sql: RawSql, { days, signal }: { days: number, signal: AbortSignal }): Promise<void> {
  await inPages(async size => {
    const { count } = await sql`
      delete from jobs.bad_items where ctid = any(array(
        select ctid from jobs.bad_items where last_at < now() - make_interval(days => ${days}) order by last_at limit ${size}))`
    return count
  }, { size: AT_A_TIME, signal })
  await inPages(async size => {
    const { count } = await sql`
      delete from jobs.bad_items where ctid = any(array(
        select ctid from jobs.bad_items order by last_at desc offset ${KEPT} limit ${size}))`
    return count
  }, { size: AT_A_TIME, signal })
}
