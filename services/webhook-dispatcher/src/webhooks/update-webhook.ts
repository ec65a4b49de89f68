import { and, eq, sql } from 'drizzle-orm'
import type { Webhook } from '@tidings/contracts'
import type { Database } from '../db/database.ts'
import { webhooks } from '../db/schema.ts'
import { CHANGED } from './changed.ts'
import { HEALTHY, UNBLEMISHED } from './health.ts'
import type { WebhookChanges } from './read-input.ts'
import { isOwn, toWebhook, WebhookNotFound, type WebhookKey } from './webhook.ts'

/** One that was disabled stays so, with its reason. */
const PAUSED = { status: sql`case when ${webhooks.status} = 'disabled' then 'disabled' else 'paused' end` }

/**
 * Changes what is named and leaves the rest.
 * @throws WebhookNotFound
 */
export async function updateWebhook (db: Database, { userId, id }: WebhookKey, input: WebhookChanges): Promise<Webhook> {
  const { active, ...columns } = input
  const [row] = await db.update(webhooks)
    .set({
      ...columns,
      ...(columns.url !== undefined && UNBLEMISHED),
      ...(active !== undefined && (active ? HEALTHY : PAUSED)),
      ...CHANGED
    })
    .where(and(isOwn(userId), eq(webhooks.id, id)))
    .returning()
  if (!row) throw new WebhookNotFound(id)
  return toWebhook(row)
}
