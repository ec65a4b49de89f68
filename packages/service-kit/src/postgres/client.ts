import postgresJs, { type Options, type Sql } from 'postgres'
import { backoff } from '../async.ts'
import { postgresTarget } from './target.ts'

/** Postgres cancels a statement that takes longer. */
const STATEMENT_TIMEOUT_MS = 10_000
/** Postgres ends a transaction, and frees its locks, whose client has lost the thread between two statements. */
const IDLE_IN_TRANSACTION_MS = 60_000
const CONNECT_TIMEOUT_S = 5
/** Pauses between attempts to connect, in milliseconds. postgres.js would wait up to 20 s after an outage. */
const RECONNECT = { minMs: 50, maxMs: 1000 }
/** After the timeout of the statement, which Postgres itself reports. */
const SILENCE_MARGIN_MS = 5000

export type RawSql = Sql<{ bigint: number }>
export type ClientOptions = Options<Record<string, never>>

/** The settings that a pooler refuses at the start of a connection (PgBouncer), by URL. */
const refusedSettings = new Map<string, Set<string>>()

/**
 * A postgres.js client with the timeouts of the services. A connection on which a statement gets no reply in time, not
 * even that of its timeout, is closed: a host that lost its power resets nothing, and the kernel would wait for a
 * quarter of an hour.
 */
export function clientFor (url: string, options: ClientOptions = {}): Sql {
  const { options: target } = postgresTarget(url)
  const settings = {
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    ...target.connection,
    ...options.connection
  }
  const refused = refusedSettings.get(url)
  return postgresJs({
    connect_timeout: CONNECT_TIMEOUT_S,
    backoff: reconnectAfter,
    idle_timeout: 60,
    max_lifetime: 1800,
    silence_timeout: refused?.has('statement_timeout') ? null : silenceTimeoutS(Number(settings.statement_timeout)),
    onnotice: () => {}, // "already exists, skipping" of the migrations
    ...target,
    ...options,
    connection: refused
      ? Object.fromEntries(Object.entries(settings).filter(([name]) => !refused.has(name)))
      : settings
  })
}

/** None where statements have no timeout, or one in a unit. */
function silenceTimeoutS (statementTimeoutMs: number): number | null {
  return statementTimeoutMs > 0 ? (statementTimeoutMs + SILENCE_MARGIN_MS) / 1000 : null
}

/** The pause in seconds after so many failures of all connections of a pool, which do not all return at one moment. */
export function reconnectAfter (failures: number): number {
  return backoff(failures, RECONNECT) * (0.5 + Math.random() / 2) / 1000
}

/** Makes further clients of this URL not request a setting. Returns false where they did not before. */
export function forgoSetting (url: string, name: string): boolean {
  const refused = refusedSettings.get(url) ?? new Set()
  if (refused.has(name)) return false
  refusedSettings.set(url, refused.add(name))
  return true
}
