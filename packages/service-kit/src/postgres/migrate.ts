import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { Sql } from 'postgres'
import { clientFor } from './client.ts'

/** The schema exists by then, and a role that owns it needs no permission to create others. */
const MAKES_A_SCHEMA = /^\s*create schema if not exists \w+;?\s*$/i

/**
 * Runs the missing migrations, each in a transaction of its own, so that the locks of one are free before the next
 * scans a large table; replicas that start together take turns by an advisory lock. It uses
 * drizzle's files and table, but not its migrator, which starts with `create schema if not exists`: Postgres refuses
 * that to a role that owns the schema but has no CREATE on the database.
 */
export async function migrate (url: string, schema: string, folder: URL): Promise<void> {
  const client = clientFor(url, { max: 1, idle_timeout: 0, max_lifetime: null, connection: { statement_timeout: 0 } })
  try {
    await client`select pg_advisory_lock(hashtext(${`tidings:${schema}`}))`
    await ensureRecord(client, schema)
    for (const { statements, hash, when } of await missingOf(client, schema, folder)) {
      await client.begin(async tx => {
        for (const statement of statements) await tx.unsafe(statement)
        await tx`insert into ${tx(schema)}.migrations (hash, created_at) values (${hash}, ${when})`
      })
    }
  } finally {
    await client.end({ timeout: 5 }) // releases the lock
  }
}

async function ensureRecord (client: Sql, schema: string): Promise<void> {
  const [found] = await client<{ there: boolean, recorded: boolean }[]>`
    select exists (select from pg_namespace where nspname = ${schema}) as there,
      exists (select from pg_tables where schemaname = ${schema} and tablename = 'migrations') as recorded`
  if (!found?.there) await client`create schema ${client(schema)}`
  if (found?.recorded) return
  await client`
    create table ${client(schema)}.migrations (id serial primary key, hash text not null, created_at bigint)`
}

async function missingOf (client: Sql, schema: string, folder: URL) {
  const [last] = await client<{
    created_at: string
  }[]>`select created_at from ${client(schema)}.migrations order by created_at desc limit 1`
  return readMigrationFiles({ migrationsFolder: fileURLToPath(folder) })
    .filter(({ folderMillis }) => !last || Number(last.created_at) < folderMillis)
    .map(({ sql, hash, folderMillis: when }) =>
      ({ statements: sql.filter(statement => !MAKES_A_SCHEMA.test(statement)), hash, when }))
}
