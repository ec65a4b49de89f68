import type { Sql } from 'postgres'
import { read } from './pages.ts'

/** The schemas of the services, and the folders of their migrations. */
export const SCHEMAS = [
  { schema: 'jobs', folder: 'services/jobs-api/src/db/migrations' },
  { schema: 'webhooks', folder: 'services/webhook-dispatcher/src/db/migrations' }
]

/** Creates one schema with everything that its migrations make. */
export async function migrate (sql: Sql, { schema, folder }: typeof SCHEMAS[number]): Promise<void> {
  const { entries } = JSON.parse(read(`${folder}/meta/_journal.json`)) as { entries: { tag: string }[] }
  await sql.unsafe(`create schema ${schema}`)
  for (const { tag } of entries) {
    for (const statement of read(`${folder}/${tag}.sql`).split('--> statement-breakpoint')) await sql.unsafe(statement)
  }
}

export async function migrateAll (sql: Sql): Promise<void> {
  for (const schema of SCHEMAS) await migrate(sql, schema)
}
