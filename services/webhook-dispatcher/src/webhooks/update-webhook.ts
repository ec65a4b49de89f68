import { and, eq, sql } from 'drizzle-orm'
import type { Database } from '../db/sql.ts'
import { webhooks } from '../db/schema.ts'
import type { SecretBox } from '../secrets/secret-box.ts'
import {
  isOwn, REACTIVATE, RESET_CIRCUIT, TOUCH, WebhookNotFound, type WebhookKey, type WebhookRow
} from './webhook-row.ts'
import { eventTypeColumns } from './event-types.ts'
import { storedFilter } from './filter.ts'
import { lockWebhook } from './find-webhook.ts'
import { headerColumns, mergeHeaders, openHeaders } from './own-headers.ts'
import type { WebhookChanges } from './read-input.ts'

/** A disabled webhook stays disabled, with its reason. */
const PAUSED = { status: sql`case when ${webhooks.status} = 'disabled' then 'disabled' else 'paused' end` }

/**
 * Changes the given fields and leaves the others.
 * @throws WebhookNotFound, INVALID_INPUT where a masked header has no value yet
 */
export async function updateWebhook (
  db: Database, key: WebhookKey, input: WebhookChanges, box: SecretBox
): Promise<WebhookRow> {
  const { headers, eventType, eventTypes, filter, ...rest } = input
  const changes = {
    ...rest, ...eventTypeColumns({ eventType, eventTypes }), ...(filter && { filter: storedFilter(filter) })
  }
  if (headers === undefined) return await update(db, key, changes)
  return await db.transaction(async tx => {
    const known = openHeaders(await lockWebhook(tx, key), box.open)
    return await update(tx, key, { ...changes, ...headerColumns(mergeHeaders(headers, known), box) })
  })
}

type Changes = Omit<WebhookChanges, 'headers' | 'eventType' | 'eventTypes' | 'filter'> &
  Partial<Pick<WebhookRow, 'headers' | 'sealedHeaders' | 'eventType' | 'eventTypes' | 'filter'>>

async function update (db: Database, { userId, id }: WebhookKey, { active, ...columns }: Changes): Promise<WebhookRow> {
  const [row] = await db.update(webhooks)
    .set({
      ...columns,
      ...(columns.url !== undefined && RESET_CIRCUIT),
      ...(active !== undefined && (active ? REACTIVATE : PAUSED)),
      ...TOUCH
    })
    .where(and(isOwn(userId), eq(webhooks.id, id)))
    .returning()
  if (!row) throw new WebhookNotFound(id)
  return row
}
