import type { Database } from '../db/sql.ts'
import { webhooks } from '../db/schema.ts'
import { isOwn, type WebhookRow } from './webhook-row.ts'

/** All webhooks of a user: their number is limited. */
export async function listWebhooks (db: Database, userId: string): Promise<WebhookRow[]> {
  return await db.select().from(webhooks).where(isOwn(userId)).orderBy(webhooks.id)
}
