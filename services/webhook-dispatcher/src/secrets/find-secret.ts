import { and, isNull } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { secrets } from '../db/schema.ts'
import { createSecret } from './create-secret.ts'
import { ownedBy, type SecretOwner } from './owner.ts'
import type { SecretBox } from './secret-box.ts'

/** The owner's current secret; made now where there is none yet, as for a user whose jobs are the first to name a webhookUrl. */
export async function findSecret (db: Database, box: SecretBox, owner: SecretOwner): Promise<string> {
  return await currentSecret(db, box, owner) ??
    await createSecret(db, box, owner) ??
    // Another request has just made it.
    await currentSecret(db, box, owner) ?? missing(owner)
}

async function currentSecret (db: Database, box: SecretBox, owner: SecretOwner): Promise<string | undefined> {
  const [row] = await db.select({ ciphertext: secrets.ciphertext }).from(secrets).where(and(ownedBy(owner), isNull(secrets.expiresAt)))
  return row && box.open(row.ciphertext)
}

function missing ({ userId, webhookId }: SecretOwner): never {
  throw new Error(`There is no secret of user ${userId}, webhook ${webhookId}, and none could be made`)
}
