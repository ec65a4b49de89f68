import { randomBytes } from 'node:crypto'
import { and, desc, eq, gt, isNotNull, isNull, max, notInArray, sql } from 'drizzle-orm'
import type { WebhookSecret } from '@tidings/contracts'
import { secrets } from '../db/schema.ts'
import type { Database } from '../db/sql.ts'
import type { SecretBox } from './secret-box.ts'

const SECRET_BYTES = 32
/** So long a replaced secret still signs beside its successor. */
const OVERLAP = '24 hours'
/** Each replaced secret adds a signature to every attempt, however often a user rotates. */
const MAX_REPLACED = 4

/**
 * The owner of a secret: a webhook, or a user's legacy secret, which signs for the legacy webhookUrl and those of jobs.
 */
export type SecretOwner = { userId: string, webhookId: number | null }

/** A secret to sign webhooks with, in the form of Standard Webhooks. */
export function newSigningSecret (): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
}

/**
 * The owner's current secret; created where there is none yet, as for a user whose jobs are the first to name a
 * webhookUrl.
 */
export async function findSecret (db: Database, box: SecretBox, owner: SecretOwner): Promise<string> {
  return await currentSecret(db, box, owner) ??
    await createSecret(db, box, owner) ??
    // Another request has just created it.
    await currentSecret(db, box, owner) ?? missing(owner)
}

/** The owner's current secret as its owner sees it, with the end of the overlap after a rotation. */
export async function showSecret (db: Database, box: SecretBox, owner: SecretOwner): Promise<WebhookSecret> {
  const secret = await findSecret(db, box, owner)
  const [row] = await db.select({ until: max(secrets.expiresAt) }).from(secrets)
    .where(and(ownedBy(owner), gt(secrets.expiresAt, sql`now()`)))
  return { secret, replacedUntil: row?.until?.toISOString() ?? null }
}

/** Creates the owner's current secret; undefined where there is one already. */
export async function createSecret (db: Database, box: SecretBox, owner: SecretOwner): Promise<string | undefined> {
  const secret = newSigningSecret()
  const created = await db.insert(secrets)
    .values({ ...owner, ciphertext: box.seal(secret) })
    .onConflictDoNothing()
    .returning({ id: secrets.id })
  return created.length > 0 ? secret : undefined
}

/**
 * Replaces the owner's secret. To be called within a transaction that holds the
 * owner's row: of two concurrent rotations both would want to be current.
 */
export async function rotateSecret (tx: Database, box: SecretBox, owner: SecretOwner): Promise<string> {
  await tx.update(secrets)
    .set({ expiresAt: sql`now() + ${OVERLAP}::interval` })
    .where(and(ownedBy(owner), isNull(secrets.expiresAt)))
  const kept = tx.select({ id: secrets.id }).from(secrets)
    .where(and(ownedBy(owner), gt(secrets.expiresAt, sql`now()`)))
    .orderBy(desc(secrets.id)).limit(MAX_REPLACED)
  await tx.delete(secrets).where(and(ownedBy(owner), isNotNull(secrets.expiresAt), notInArray(secrets.id, kept)))
  const secret = await createSecret(tx, box, owner)
  if (secret === undefined) throw new Error('A secret was created during its rotation')
  return secret
}

export function ownedBy ({ userId, webhookId }: SecretOwner) {
  return webhookId === null
    ? and(eq(secrets.userId, userId), isNull(secrets.webhookId))
    : eq(secrets.webhookId, webhookId)
}

async function currentSecret (db: Database, box: SecretBox, owner: SecretOwner): Promise<string | undefined> {
  const [row] = await db.select({ ciphertext: secrets.ciphertext }).from(secrets)
    .where(and(ownedBy(owner), isNull(secrets.expiresAt)))
  return row && box.open(row.ciphertext)
}

function missing ({ userId, webhookId }: SecretOwner): never {
  throw new Error(`User ${userId}, webhook ${webhookId} has no secret, and none could be created`)
}
