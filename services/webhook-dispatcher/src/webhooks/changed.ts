import { sql } from 'drizzle-orm'
import { webhooks } from '../db/schema.ts'

/** Whoever has read it later has read the newer one, even where Postgres failed over to a slower clock. */
export const CHANGED = { updatedAt: sql`greatest(now(), ${webhooks.updatedAt} + interval '1 ms')` }
