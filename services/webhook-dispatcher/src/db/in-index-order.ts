import type { RawSql } from '@tidings/service-kit'
import type { Sql } from './sql.ts'

/**
 * Runs statements that read deliveries of all parts in the order of an index, up to a limit. Without sorts, the only
 * plan is to merge the parts, each read in that order and no further than needed: whatever the statistics say, no part
 * is read as a whole to be sorted. Other sorts of these statements cannot be avoided, and so are made as ever.
 */
export async function inIndexOrder<Result> (sql: Sql, run: (tx: RawSql) => Promise<Result>): Promise<Result> {
  const inTransaction = async (tx: Sql) => {
    await tx.unsafe('set local enable_sort = off; set local enable_incremental_sort = off')
    return await run(tx as RawSql)
  }
  return 'begin' in sql ? await (sql as RawSql).begin(inTransaction) as Result : await inTransaction(sql)
}
