import postgresJs, { type Options, type Sql } from 'postgres'
import { postgresTarget } from './target.ts'

/** Postgres cancels a statement that takes longer. */
const STATEMENT_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_S = 5

export type RawSql = Sql<{ bigint: number }>
export type ClientOptions = Options<Record<string, never>>

/** Databases behind a pooler that refuses settings at the start of a connection (PgBouncer), by URL. */
const withoutSettings = new Set<string>()

/** A postgres.js client with the timeouts of the services. */
export function clientFor (url: string, options: ClientOptions = {}): Sql {
  const { options: target } = postgresTarget(url)
  const settings = { statement_timeout: STATEMENT_TIMEOUT_MS, ...target.connection, ...options.connection }
  return postgresJs({
    connect_timeout: CONNECT_TIMEOUT_S,
    idle_timeout: 60,
    max_lifetime: 1800,
    onnotice: () => {}, // "already exists, skipping" of the migrations
    ...target,
    ...options,
    connection: withoutSettings.has(url) ? { application_name: settings.application_name as string } : settings
  })
}

/** Makes further clients of this URL request no settings. Returns false where they did so before. */
export function forgoSettings (url: string): boolean {
  if (withoutSettings.has(url)) return false
  withoutSettings.add(url)
  return true
}
