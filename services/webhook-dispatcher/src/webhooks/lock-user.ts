import { sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'

/** Until the end of the transaction nobody else changes what is bounded or unique for this user. */
export async function lockUser (tx: Database, userId: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks of ${userId}`}, 0))`)
}
