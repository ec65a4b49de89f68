import type { Sql } from '../../db/sql.ts'
import { LOCK_GRACE_MS, WORKER_LOCKS } from './worker-lease.ts'

/**
 * Makes the function that removes workers whose process has ended, which
 * releases their claims; it returns whether there were any. Postgres ends the
 * session of a killed process, and the advisory lock with it.
 */
export function createDeadWorkerReaper (sql: Sql) {
  /** Workers without their lock, and since when. */
  let unlocked = new Map<number, number>()

  return async function removeDeadWorkers (): Promise<boolean> {
    const rows = await sql<{ id: number }[]>`
      with locking as materialized (select id from webhooks.workers where has_lock and lease_until > now())
      select id from locking where pg_try_advisory_xact_lock(${WORKER_LOCKS}, id::int)`
    const now = performance.now()
    unlocked = new Map(rows.map(({ id }) => [id, unlocked.get(id) ?? now]))
    const dead = [...unlocked].filter(([, since]) => now - since >= LOCK_GRACE_MS).map(([id]) => id)
    if (dead.length === 0) return false
    const { count } = await sql`
      delete from webhooks.workers where id = any(${dead}::bigint[]) and pg_try_advisory_xact_lock(${WORKER_LOCKS}, id::int)`
    return count > 0
  }
}
