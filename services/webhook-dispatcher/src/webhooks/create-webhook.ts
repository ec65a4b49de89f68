import createError from '@fastify/error'
import { count } from 'drizzle-orm'
import type { EventId } from '@tidings/job-events'
import { invalidInput } from '@tidings/service-kit'
import type { Database } from '../db/sql.ts'
import { webhooks } from '../db/schema.ts'
import { findSecret } from '../secrets/signing-secrets.ts'
import type { SecretBox } from '../secrets/secret-box.ts'
import { isOwn, lockUser, type WebhookRow } from './webhook-row.ts'
import { eventTypeColumns } from './event-types.ts'
import { storedFilter } from './filter.ts'
import { headerColumns } from './own-headers.ts'
import type { NewWebhook } from './read-input.ts'

const TooManyWebhooks = createError('TOO_MANY_WEBHOOKS', 'A user has at most %d webhooks', 409)

export type Creation = {
  userId: string
  /** It receives the events after this one. */
  since: EventId
  maxPerUser: number
  box: SecretBox
}

/** A webhook and the secret that signs for it. */
export type WebhookWithSecret = { row: WebhookRow, secret: string }

/**
 * Creates a webhook and its secret.
 * @throws INVALID_INPUT without event types, TooManyWebhooks
 */
export async function createWebhook (db: Database, input: NewWebhook, creation: Creation): Promise<WebhookWithSecret> {
  const { userId, since, maxPerUser, box } = creation
  const { active = true, headers = {}, eventType, eventTypes, filter = {}, ...columns } = input
  const types = eventTypeColumns({ eventType, eventTypes })
  if (!types) throw invalidInput([{ path: 'body.eventType', message: 'is missing, and so is eventTypes' }])
  return await db.transaction(async tx => {
    await checkLimit(tx, userId, maxPerUser)
    const inserted = await tx.insert(webhooks)
      .values({
        ...columns,
        ...types,
        filter: storedFilter(filter),
        ...headerColumns(headers, box),
        userId,
        status: active ? 'active' : 'paused',
        sinceMs: since.ms,
        sinceSeq: since.seq
      })
      .returning()
    const row = inserted[0] as WebhookRow
    const secret = await findSecret(tx, box, { userId, webhookId: row.id })
    return { row, secret }
  })
}

/**
 * @throws TooManyWebhooks at the limit; until the end of the transaction no other one creates a webhook for this user.
 */
export async function checkLimit (tx: Database, userId: string, maxPerUser: number): Promise<void> {
  await lockUser(tx, userId)
  const [own] = await tx.select({ count: count() }).from(webhooks).where(isOwn(userId))
  if ((own?.count ?? 0) >= maxPerUser) throw new TooManyWebhooks(maxPerUser)
}
