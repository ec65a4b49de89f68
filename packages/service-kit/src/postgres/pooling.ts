import type { Sql, TransactionSql } from 'postgres'
import { withTimeout } from '../async.ts'
import { ConfigError } from '../config-error.ts'
import { clientFor } from './client.ts'

/** A full pool of sessions makes the second connection wait, which shows nothing. */
const TIMEOUT_MS = 3000
/** Other clients of a busy pooler may take the connection that shows the mode. */
const TRIES = 3

/**
 * A pooler that gives a connection to other clients between two statements (PgBouncer's `pool_mode = transaction` or
 * `statement`) loses advisory locks, LISTEN and prepared statements, now and then and without an error. It is detected
 * when a second client's transaction runs on the connection of the first, or moves the first to another.
 * @throws ConfigError for such a pooler
 */
export async function refuseTransactionPooling (url: string): Promise<void> {
  const clients = [0, 1].map(() => clientFor(url, { max: 1, fetch_types: false, idle_timeout: 0 })) as [Sql, Sql]
  try {
    await clients[0].unsafe('select 1') // throws where the connection itself fails
    const pools = await withTimeout(poolsTransactions(clients), TIMEOUT_MS, () => false)
    if (pools) throw refusal()
  } finally {
    await Promise.all(clients.map(client => client.end({ timeout: 0 })))
  }
}

async function poolsTransactions ([first, second]: [Sql, Sql]): Promise<boolean> {
  let refused = 0
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      const own = await processOf(first)
      const moved = await second.begin(async tx => await processOf(tx) === own || await processOf(first) !== own)
      if (moved) return true
    } catch {
      // A pool of statements ends the connection at each `begin`, and only then. Other faults show at the next query.
      if (await processOf(second).catch(() => undefined) === undefined) return false
      refused++
    }
  }
  return refused === TRIES
}

async function processOf (sql: Sql | TransactionSql): Promise<number | undefined> {
  const [row] = await sql.unsafe<{ pid: number }[]>('select pg_backend_pid() as pid')
  return row?.pid
}

function refusal (): ConfigError {
  return new ConfigError(['DATABASE_URL leads to a pooler in transaction (or statement) mode, which loses LISTEN, ' +
    'advisory locks and prepared statements: connect directly, or to a pool in session mode'])
}
