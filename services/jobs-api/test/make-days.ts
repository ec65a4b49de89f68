import { addDays, DAY_MS, type RawSql } from '@tidings/service-kit'
import { TIMELINE } from '../src/db/timeline-days.ts'

/** Makes the timeline that of a service that has run for so many days: without the first partition, a day for each. */
export async function makeDays (sql: RawSql, days: number): Promise<void> {
  await sql`drop table jobs.timeline_before`
  for (let ago = days; ago > -7; ago -= 8) await addDays(sql, TIMELINE, Date.now() - ago * DAY_MS)
}
