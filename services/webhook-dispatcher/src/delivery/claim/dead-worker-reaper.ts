import type { Sql } from '../../db/sql.ts'
import { WORKER_LOCKS, LOCK_GRACE_MS } from './worker-lease.ts'

/**
 * Makes the function that removes claimants whose process has ended, which
 * frees what they had claimed; it returns whether there were any. Postgres ends
 * the session of a process that was killed, and with it the lock.
 */
export function createDeadWorkerReaper (sql: Sql) {
  /** Claimants without their lock, and since when. */
  let unlocked = new Map<number, number>()

  return async function reap (): Promise<boolean> {
    const rows = await sql<{ id: number }[]>`
      with guarded as materialized (select id from webhooks.claimants where guarded and lease_until > now())
      select id from guarded where pg_try_advisory_xact_lock(${WORKER_LOCKS}, id::int)`
    const now = performance.now()
    unlocked = new Map(rows.map(({ id }) => [id, unlocked.get(id) ?? now]))
    const ended = [...unlocked].filter(([, since]) => now - since >= LOCK_GRACE_MS).map(([id]) => id)
    if (ended.length === 0) return false
    const { count } = await sql`
      delete from webhooks.claimants where id = any(${ended}::bigint[]) and pg_try_advisory_xact_lock(${WORKER_LOCKS}, id::int)`
    return count > 0
  }
}
