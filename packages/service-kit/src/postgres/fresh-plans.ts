import type { TransactionSql } from 'postgres'
import type { RawSql } from './client.ts'

/**
 * Runs statements in a transaction that has them planned for the tables as they are.
 * Source: https://www.postgresql.org/docs/current/sql-prepare.html, and decision 0054.
 */
export async function withFreshPlans<Result> (sql: RawSql, run: (tx: RawSql) => Promise<Result>): Promise<Result> {
  return await sql.begin(async tx => {
    await planAfresh(tx)
    return await run(tx as unknown as RawSql)
  }) as Result
}

/**
 * Has the further statements of a transaction planned for the tables as they are. For those that look up thousands of
 * rows one by one: Postgres may keep the plan of a prepared statement, and where the table was small at that time, each
 * of these rows is then looked for in the whole table, until autovacuum analyzes it. For a statement that reads few
 * rows, planning costs more than that: it may take as long as the statement.
 */
export async function planAfresh (tx: TransactionSql<{ bigint: number }>): Promise<void> {
  await tx`set local plan_cache_mode = force_custom_plan`
}
