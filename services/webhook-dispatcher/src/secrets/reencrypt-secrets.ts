import type { RawSql } from '@tidings/service-kit'
import type { SecretBox } from './secret-box.ts'

const BATCH = 500

/**
 * Encrypts with the current key what a retired one has encrypted, so that the
 * retired one can be given up. Replicas may do it at once: a row that another
 * one was faster with is left alone. Resolves to the number of secrets.
 * @throws UnknownKey where a secret's key is not known any more
 */
export async function reencryptSecrets (sql: RawSql, box: SecretBox): Promise<number> {
  let resealed = 0
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
      resealed += count
    }
    if (rows.length < BATCH) return resealed
    last = rows.at(-1)?.id ?? last
  }
}
