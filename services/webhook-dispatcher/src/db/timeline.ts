import type { RawSql } from '@tidings/service-kit'

/** Of a server that has other functions for its log, or none for this role. */
const UNSUPPORTED = ['0A000', '42501', '42883']

/**
 * The timeline of Postgres' log: a standby that is promoted, or a backup that is recovered up to a point in time,
 * begins another one, and may lack what was committed last. Empty where Postgres does not report it.
 */
export async function readTimeline (sql: RawSql): Promise<string> {
  try {
    const [row] = await sql<{ timeline: string }[]>`
      select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline`
    return row?.timeline ?? ''
  } catch (err) {
    if (UNSUPPORTED.includes((err as { code?: string }).code ?? '')) return ''
    throw err
  }
}
