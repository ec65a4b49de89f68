import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import fp from 'fastify-plugin'
import { clientFor, type RawSql } from './client.ts'
import { startPostgres } from './start.ts'

type PostgresPluginOptions = {
  url: string
  /** The service's Postgres schema; its migrations' record is kept there too. */
  schema: string
  /** Folder of the migrations (drizzle's format: NNNN_name.sql and meta/_journal.json). */
  migrations: URL
  /** Connections of each of the two clients. */
  max?: number
  /** How long the start waits for a Postgres that is away; a migration takes as long as it takes. */
  startTimeoutMs?: number
}

/**
 * Migrates, then decorates `app.db` (drizzle) and `app.sql` (postgres.js).
 * They are two clients, because drizzle changes the type parsers of the one it
 * is given. On `app.sql` a bigint is a number: ours are milliseconds, sequences
 * and serial ids, all below 2^53.
 */
export const postgres = fp<PostgresPluginOptions>(async function postgres (app, { url, schema, migrations, max = 10, startTimeoutMs = 60_000 }) {
  await startPostgres({ url, schema, migrations, timeoutMs: startTimeoutMs, log: app.log })
  const sql = createSql(url, { max })
  const forDrizzle = clientFor(url, { max: Math.max(1, Math.ceil(max / 2)) })
  app.decorate('sql', sql)
  app.decorate('db', drizzle({ client: forDrizzle }))
  app.addHook('onClose', async () => {
    await Promise.all([sql.end({ timeout: 5 }), forDrizzle.end({ timeout: 5 })])
  })
}, { name: 'postgres' })

/** A postgres.js client with our defaults; int8 is parsed to a number. */
export function createSql (url: string, options: Parameters<typeof clientFor>[1] = {}): RawSql {
  return clientFor(url, {
    ...options,
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } } as never
  }) as unknown as RawSql
}

declare module 'fastify' {
  interface FastifyInstance {
    db: PostgresJsDatabase
    sql: RawSql
  }
}
