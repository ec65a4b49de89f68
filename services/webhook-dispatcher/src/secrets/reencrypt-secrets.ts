import type { RawSql } from '@tidings/service-kit'
import type { SecretBox } from './secret-box.ts'

const BATCH = 500

/**
 * Encrypts secrets under a retired key with the current one, so that the retired
 * key can be removed. Replicas may do so at once: a row that another replica has
 * changed first is left alone. Resolves to the number of secrets.
 * @throws UnknownKey where a secret's key is no longer known
 */
export async function reencryptSecrets (sql: RawSql, box: SecretBox): Promise<number> {
  let reencrypted = 0
  let last = 0
  for (;;) {
    const rows = await sql<{ id: number, ciphertext: string }[]>`
      select id, ciphertext from webhooks.secrets where id > ${last} order by id limit ${BATCH}`
    const old = rows.filter(({ ciphertext }) => !box.isCurrent(ciphertext))
    if (old.length > 0) {
      const fresh = old.map(({ ciphertext }) => box.seal(box.open(ciphertext)))
      const { count } = await sql`
        update webhooks.secrets s set ciphertext = t.fresh
        from unnest(${old.map(({ id }) => id)}::bigint[], ${old.map(({ ciphertext }) => ciphertext)}::text[], ${fresh}::text[]) as t (id, old, fresh)
        where s.id = t.id and s.ciphertext = t.old`
      reencrypted += count
    }
    if (rows.length < BATCH) return reencrypted
    last = rows.at(-1)?.id ?? last
  }
}
