import type { Sql, TransactionSql } from 'postgres'
import type { TestContext } from './test-context.ts'
import { until } from './until.ts'

/** Holds what `lock` locks, in a transaction of its own, until the returned function is called. */
export async function holding<Types extends Record<string, unknown>> (
  t: TestContext, sql: Sql<Types>, lock: (tx: TransactionSql<Types>) => Promise<unknown>
): Promise<() => Promise<void>> {
  const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const held = sql.begin(async tx => {
    await lock(tx)
    locked.resolve()
    await release.promise
  })
  const letGo = async () => {
    release.resolve()
    await held
  }
  t.teardown(letGo)
  await Promise.race([locked.promise, held])
  return letGo
}

/** Resolves when so many statements wait for a lock. */
export async function waitForBlocked<Types extends Record<string, unknown>> (
  sql: Sql<Types>, count: number
): Promise<void> {
  await until(async () => (
    await sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  ).length === count, { what: `${count} statements to wait for a lock` })
}
