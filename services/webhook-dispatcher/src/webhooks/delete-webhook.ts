import { and, eq, sql } from 'drizzle-orm'
import type { Database } from '../db/sql.ts'
import { webhooks } from '../db/schema.ts'
import { isOwn, WebhookNotFound, type WebhookKey } from './webhook-row.ts'

/**
 * Deletes a webhook: it receives nothing more and is no longer found. Its row is removed later, once its pending
 * deliveries are closed.
 * @throws WebhookNotFound
 */
export async function deleteWebhook (db: Database, { userId, id }: WebhookKey): Promise<void> {
  const deleted = await db.update(webhooks).set({ deletedAt: sql`now()` })
    .where(and(isOwn(userId), eq(webhooks.id, id)))
    .returning({ id: webhooks.id })
  if (deleted.length === 0) throw new WebhookNotFound(id)
}
