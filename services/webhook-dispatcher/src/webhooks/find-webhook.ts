import { and, eq } from 'drizzle-orm'
import type { Database } from '../db/sql.ts'
import { webhooks } from '../db/schema.ts'
import { isOwn, WebhookNotFound, type WebhookKey, type WebhookRow } from './webhook-row.ts'

/** @throws WebhookNotFound */
export async function findWebhook (db: Database, { userId, id }: WebhookKey): Promise<WebhookRow> {
  const [row] = await db.select().from(webhooks).where(and(isOwn(userId), eq(webhooks.id, id)))
  if (!row) throw new WebhookNotFound(id)
  return row
}

/**
 * The same, locked until the end of the transaction.
 * @throws WebhookNotFound
 */
export async function lockWebhook (tx: Database, { userId, id }: WebhookKey): Promise<WebhookRow> {
  const [row] = await tx.select().from(webhooks).where(and(isOwn(userId), eq(webhooks.id, id))).for('update')
  if (!row) throw new WebhookNotFound(id)
  return row
}
