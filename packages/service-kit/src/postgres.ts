import { fileURLToPath } from 'node:url'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import fp from 'fastify-plugin'
import pRetry from 'p-retry'
import postgresJs, { type Options, type Sql } from 'postgres'

/** A statement that takes longer is cancelled by Postgres. */
const STATEMENT_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_S = 5
/** How long a start waits for Postgres, in attempts of 250 ms to 2 s: about 30 s. */
const START_RETRIES = 18

export type RawSql = Sql<{ bigint: number }>

type PostgresPluginOptions = {
  url: string
  /** The service's Postgres schema; its migrations' record is kept there too. */
  schema: string
  /** Folder of the migrations (drizzle's format: NNNN_name.sql and meta/_journal.json). */
  migrations: URL
  /** Connections of each of the two clients. */
  max?: number
}

/**
 * Migrates, then decorates `app.db` (drizzle) and `app.sql` (postgres.js).
 * They are two clients, because drizzle changes the type parsers of the one it
 * is given. On `app.sql` a bigint is a number: ours are milliseconds, sequences
 * and serial ids, all below 2^53.
 */
export const postgres = fp<PostgresPluginOptions>(async function postgres (app, { url, schema, migrations, max = 10 }) {
  await pRetry(() => migrateOnce(url, schema, migrations), {
    retries: START_RETRIES,
    minTimeout: 250,
    maxTimeout: 2000,
    shouldRetry: ({ error }) => isAway(error),
    onFailedAttempt: ({ error, retriesLeft }) => app.log.warn({ err: error, retriesLeft }, 'postgres: not ready')
  })
  const sql = createSql(url, { max })
  const forDrizzle = postgresJs(url, clientOptions({ max: Math.max(1, Math.ceil(max / 2)) }))
  app.decorate('sql', sql)
  app.decorate('db', drizzle({ client: forDrizzle }))
  app.addHook('onClose', async () => {
    await Promise.all([sql.end({ timeout: 5 }), forDrizzle.end({ timeout: 5 })])
  })
}, { name: 'postgres' })

/** A postgres.js client with our defaults; int8 is parsed to a number. */
export function createSql (url: string, options: Options<Record<string, never>> = {}): RawSql {
  return postgresJs(url, {
    ...clientOptions(options),
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } }
  }) as RawSql
}

function clientOptions (options: Options<Record<string, never>>): Options<Record<string, never>> {
  return {
    connect_timeout: CONNECT_TIMEOUT_S,
    idle_timeout: 60,
    max_lifetime: 1800,
    onnotice: () => {}, // "already exists, skipping" of the migrations
    ...options,
    connection: { statement_timeout: STATEMENT_TIMEOUT_MS, ...options.connection }
  }
}

/** Runs what is missing of the migrations; replicas that start together take turns by an advisory lock. */
async function migrateOnce (url: string, schema: string, folder: URL): Promise<void> {
  const client = postgresJs(url, clientOptions({ max: 1, connection: { statement_timeout: 0 } }))
  try {
    await client`select pg_advisory_lock(hashtext(${`tidings:${schema}`}))`
    await migrate(drizzle({ client }), { migrationsFolder: fileURLToPath(folder), migrationsSchema: schema, migrationsTable: 'migrations' })
  } finally {
    await client.end({ timeout: 5 }) // the lock goes with its connection
  }
}

const AWAY = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN',
  'CONNECT_TIMEOUT', 'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', '57P03', '53300'
])

/** Whether an error means that Postgres can't be reached now, and not that it refused what was asked. */
export function isAway (error: unknown): boolean {
  const { code, cause } = error as { code?: unknown, cause?: unknown }
  return (typeof code === 'string' && (AWAY.has(code) || code.startsWith('08') || code.startsWith('57P'))) || (cause instanceof Error && isAway(cause))
}

/** Whether Postgres ended a statement that took longer than it may. */
export function isTimedOut (error: unknown): boolean {
  return (error as { code?: unknown }).code === '57014'
}

declare module 'fastify' {
  interface FastifyInstance {
    db: PostgresJsDatabase
    sql: RawSql
  }
}
