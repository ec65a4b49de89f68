import { findExecutable } from '@tidings/dev-servers'
import { installSystemPackage } from './system-packages.ts'

/**
 * PgBouncer for the tests that use it: the one on PATH, else the system's where CI or TIDINGS_TEST_PGBOUNCER is `true`.
 */
export async function ensurePgbouncer (report: (line: string) => void): Promise<void> {
  if (findExecutable(['pgbouncer']) !== undefined) return
  if (process.env.CI !== 'true' && process.env.TIDINGS_TEST_PGBOUNCER !== 'true') return
  await installSystemPackage({ apt: 'pgbouncer', apk: 'pgbouncer', dnf: 'pgbouncer', brew: 'pgbouncer' }, report)
}
