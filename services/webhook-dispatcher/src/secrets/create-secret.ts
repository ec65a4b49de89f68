import type { Database } from '../db/database.ts'
import { secrets } from '../db/schema.ts'
import type { SecretOwner } from './owner.ts'
import type { SecretBox } from './secret-box.ts'
import { newSigningSecret } from './signing-secret.ts'

/** Makes the owner's current secret where there is none yet; undefined where there is one. */
export async function createSecret (db: Database, box: SecretBox, owner: SecretOwner): Promise<string | undefined> {
  const secret = newSigningSecret()
  const created = await db.insert(secrets)
    .values({ ...owner, ciphertext: box.seal(secret) })
    .onConflictDoNothing()
    .returning({ id: secrets.id })
  return created.length > 0 ? secret : undefined
}
