import type { RawSql } from '@tidings/service-kit'
import { inPages } from './in-batches.ts'

const AT_A_TIME = 5000

/** Forgets what has served its time: idempotency keys after a day, families of refresh tokens none of which lives any more. */
export async function forgetSpent (sql: RawSql, signal: AbortSignal): Promise<void> {
  await inPages(async size => await forgetKeys(sql, size), { size: AT_A_TIME, signal })
  await inPages(async size => await forgetFamilies(sql, size), { size: AT_A_TIME, signal })
}

/** The age is asked for outside too: a key may be taken anew between the two. */
async function forgetKeys (sql: RawSql, size: number): Promise<number> {
  const { count } = await sql`
    delete from jobs.idempotency_keys
    where (user_id, key) in (
      select user_id, key from jobs.idempotency_keys where created_at < now() - interval '24 hours' order by created_at limit ${size}
    ) and created_at < now() - interval '24 hours'`
  return count
}

async function forgetFamilies (sql: RawSql, size: number): Promise<number> {
  const { count } = await sql`
    delete from jobs.refresh_families
    where family in (select family from jobs.refresh_families where expires_at < now() order by expires_at limit ${size}) and expires_at < now()`
  return count
}
