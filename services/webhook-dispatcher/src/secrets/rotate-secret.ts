import { and, desc, gt, isNotNull, isNull, notInArray, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { secrets } from '../db/schema.ts'
import { createSecret } from './create-secret.ts'
import { ownedBy, type SecretOwner } from './owner.ts'
import type { SecretBox } from './secret-box.ts'

/** So long a replaced secret still signs beside its successor. */
const OVERLAP = '24 hours'
/** A signature each, however often somebody rotates. */
const MAX_REPLACED = 4

/**
 * Replaces the owner's secret. Within a transaction that holds the owner's
 * row, since two at a time would both want to be current.
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
  if (secret === undefined) throw new Error('A secret was made beside its rotation')
  return secret
}
