import { and, eq, isNull } from 'drizzle-orm'
import { secrets } from '../db/schema.ts'

/** Whose secret it is: a webhook's, or the user's legacy one, which signs for the legacy webhookUrl and those of jobs. */
export type SecretOwner = { userId: string, webhookId: number | null }

export function ownedBy ({ userId, webhookId }: SecretOwner) {
  return webhookId === null
    ? and(eq(secrets.userId, userId), isNull(secrets.webhookId))
    : eq(secrets.webhookId, webhookId)
}
