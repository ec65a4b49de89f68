import type { RawSql } from '@tidings/service-kit'
import type { SecretBox } from '../secrets/secret-box.ts'
import { headerColumns, openHeaders } from './own-headers.ts'

const BATCH = 500

/**
 * Encrypts webhooks' own headers with the current key: those that an earlier release stored in plain text, and those
 * under
 * a retired key. Replicas may do so at once. Resolves to the number of webhooks.
 * @throws UnknownKey where the key is no longer known
 */
export async function encryptHeaders (sql: RawSql, box: SecretBox): Promise<number> {
  let sealed = 0
  let last = 0
  for (;;) {
    const rows = await sql<{ id: number, headers: Record<string, string>, sealed: string | null }[]>`
      select id, headers, sealed_headers as sealed from webhooks.webhooks where id > ${last} and headers <> '{}' order by id limit ${BATCH}`
    for (const { id, headers, sealed: old } of rows) {
      if (old !== null && box.isCurrent(old)) continue
      const fresh = headerColumns(openHeaders({ headers, sealedHeaders: old }, box.open), box)
      const { count } = await sql`
        update webhooks.webhooks set headers = ${sql.json(fresh.headers)}, sealed_headers = ${fresh.sealedHeaders}
        where id = ${id} and sealed_headers is not distinct from ${old}::text and headers = ${sql.json(headers)}`
      sealed += count
    }
    if (rows.length < BATCH) return sealed
    last = rows.at(-1)?.id ?? last
  }
}
