import createError from '@fastify/error'
import { and, eq, isNull, sql } from 'drizzle-orm'
import type { LegacyWebhook, WebhookHealth } from '@tidings/contracts'
import type { EventId } from '@tidings/job-events'
import type { Database } from '../db/sql.ts'
import { secrets, webhooks } from '../db/schema.ts'
import { createSecret, findSecret, ownedBy } from '../secrets/signing-secrets.ts'
import type { SecretBox } from '../secrets/secret-box.ts'
import { REACTIVATE, TOUCH, type WebhookRow } from './webhook-row.ts'
import { checkLimit, type WebhookWithSecret } from './create-webhook.ts'

const NoLegacyWebhook = createError('NO_LEGACY_WEBHOOK', 'There is no legacy webhookUrl', 404)

/** @throws NoLegacyWebhook */
export async function findLegacyWebhook (db: Database, userId: string): Promise<WebhookRow> {
  const [row] = await db.select().from(webhooks).where(isLegacy(userId))
  if (!row) throw new NoLegacyWebhook()
  return row
}

type LegacyUrl = { userId: string, url: string, since: EventId, box: SecretBox }

/**
 * Sets the user's legacy URL, and creates its secret where there is none; a new one receives completions after `since`.
 */
export async function putLegacyWebhook (db: Database, { userId, url, since, box }: LegacyUrl): Promise<WebhookRow> {
  return await db.transaction(async tx => {
    await createSecret(tx, box, { userId, webhookId: null })
    const [row] = await tx.insert(webhooks)
      .values({ userId, url, kind: 'legacy', eventType: 'completed', sinceMs: since.ms, sinceSeq: since.seq })
      .onConflictDoUpdate({
        target: webhooks.userId,
        targetWhere: sql`kind = 'legacy' and deleted_at is null`,
        set: { url, ...REACTIVATE, ...TOUCH }
      })
      .returning()
    return row as WebhookRow
  })
}

/** @throws NoLegacyWebhook */
export async function deleteLegacyWebhook (db: Database, userId: string): Promise<void> {
  const deleted = await db.update(webhooks).set({
    deletedAt: sql`now()`
  }).where(isLegacy(userId)).returning({ id: webhooks.id })
  if (deleted.length === 0) throw new NoLegacyWebhook()
}

type Migration = { userId: string, maxPerUser: number, box: SecretBox }

/**
 * Turns the legacy webhook into one of the user's own. It keeps its pending
 * deliveries and the secrets that its receiver knows; jobs' own webhookUrls
 * still use the legacy secret.
 * @throws NoLegacyWebhook, TooManyWebhooks
 */
export async function migrateLegacyWebhook (
  db: Database, { userId, maxPerUser, box }: Migration
): Promise<WebhookWithSecret> {
  return await db.transaction(async tx => {
    await checkLimit(tx, userId, maxPerUser)
    const [row] = await tx.update(webhooks).set({ kind: 'own', ...TOUCH }).where(isLegacy(userId)).returning()
    if (!row) throw new NoLegacyWebhook()
    const legacy = { userId, webhookId: null }
    const secret = await findSecret(tx, box, legacy)
    const known = await tx.select().from(secrets).where(ownedBy(legacy)).orderBy(secrets.id)
    const copies = known.map(({ ciphertext, createdAt, expiresAt }) =>
      ({ userId, webhookId: row.id, ciphertext, createdAt, expiresAt }))
    await tx.insert(secrets).values(copies)
    return { row, secret }
  })
}

export function toLegacyWebhook (row: WebhookRow, health: WebhookHealth): LegacyWebhook {
  const { url, status, disabledReason, createdAt, updatedAt } = row
  const times = { createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
  return { webhookUrl: url, status, disabledReason, health, ...times }
}

function isLegacy (userId: string) {
  return and(eq(webhooks.userId, userId), eq(webhooks.kind, 'legacy'), isNull(webhooks.deletedAt))
}
