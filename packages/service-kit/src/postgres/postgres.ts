import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import fp from 'fastify-plugin'
import { clientFor, type RawSql } from './client.ts'
import { startPostgres } from './start.ts'

type PostgresPluginOptions = {
  url: string
  /** The service's Postgres schema, which also has the table of migrations. */
  schema: string
  /** Folder of the migrations (drizzle's format: NNNN_name.sql and meta/_journal.json). */
  migrations: URL
  /** Connections of `app.sql`; `app.db` has half as many. */
  max?: number
  /** Whether there is an `app.db`. Loading drizzle takes a third of a service's start, so only its users load it. */
  drizzle?: boolean
  /** How long the start waits for an unavailable Postgres, not counting migrations. */
  startTimeoutMs?: number
}

/**
 * Migrates, then decorates `app.sql` (postgres.js) and, on request, `app.db` (drizzle). They are two clients, because
 * drizzle changes the type parsers of its client. On `app.sql` a bigint is a number: milliseconds, sequences and serial
 * ids, all below 2^53.
 */
export const postgres = fp<PostgresPluginOptions>(async function postgres (app, options) {
  const { url, schema, migrations, max = 10, startTimeoutMs = 60_000, drizzle: hasDrizzle = false } = options
  await startPostgres({ url, schema, migrations, timeoutMs: startTimeoutMs, log: app.log })
  const sql = createSql(url, { max })
  app.decorate('sql', sql)
  app.addHook('onClose', () => sql.end({ timeout: 5 }))
  if (!hasDrizzle) return

  const { drizzle } = await import('drizzle-orm/postgres-js')
  const client = clientFor(url, { max: Math.max(1, Math.ceil(max / 2)) })
  app.decorate('db', drizzle({ client }))
  app.addHook('onClose', () => client.end({ timeout: 5 }))
}, { name: 'postgres' })

/** A postgres.js client with the defaults of the services; int8 is parsed as a number. */
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
