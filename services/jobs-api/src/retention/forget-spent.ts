import type { RawSql } from '@tidings/service-kit'

/** Forgets what has served its time: idempotency keys after a day, families of refresh tokens none of which lives any more. */
export async function forgetSpent (sql: RawSql): Promise<void> {
  await sql`delete from jobs.idempotency_keys where created_at < now() - interval '24 hours'`
  await sql`delete from jobs.refresh_families where expires_at < now()`
}
