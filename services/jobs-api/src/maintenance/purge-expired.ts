import type { RawSql, Run } from '@tidings/service-kit'
import { inBatches } from './in-batches.ts'

const BATCH = 5000

/** Purges idempotency keys after a day, and families of refresh tokens once none of their tokens is valid any more. */
export async function purgeExpired (sql: RawSql, run: Run): Promise<void> {
  await inBatches(async size => await purgeKeys(sql, size), BATCH, run)
  await inBatches(async size => await purgeFamilies(sql, size), BATCH, run)
}

/** The outer statement checks the age too: a key may be used for a new request between the two. */
async function purgeKeys (sql: RawSql, size: number): Promise<number> {
  const { count } = await sql`
    delete from jobs.idempotency_keys
    where (user_id, key) in (
      select user_id, key from jobs.idempotency_keys where created_at < now() - interval '24 hours' order by created_at limit ${size}
    ) and created_at < now() - interval '24 hours'`
  return count
}

async function purgeFamilies (sql: RawSql, size: number): Promise<number> {
  const { count } = await sql`
    delete from jobs.refresh_families
    where family in (select family from jobs.refresh_families where expires_at < now() order by expires_at limit ${size}) and expires_at < now()`
  return count
}
