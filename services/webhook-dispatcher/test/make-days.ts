import { addDays, DAY_MS, type RawSql } from '@tidings/service-kit'
import { ATTEMPTS, EVENTS } from '../src/db/day-tables.ts'

/** Makes the tables those of a service that has run for so many days: without the first partition, a day for each. */
export async function makeDays (sql: RawSql, days: number): Promise<void> {
  await sql`drop table webhooks.events_before, webhooks.attempts_before`
  for (let ago = days; ago > -7; ago -= 8) {
    for (const table of [EVENTS, ATTEMPTS]) await addDays(sql, table, Date.now() - ago * DAY_MS)
  }
}
