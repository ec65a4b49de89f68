import type { RawSql } from '@tidings/service-kit'
import type { BackgroundMetrics } from '../metrics.ts'
import { purgeBadItems } from './purge-bad-items.ts'
import { purgeExpired } from './purge-expired.ts'
import { purgeReplaced, removeOldJobs } from './remove-old-jobs.ts'
import { removeOldLines } from './remove-old-lines.ts'

type RetentionOptions = { sql: RawSql, metrics: BackgroundMetrics, days: number, signal: AbortSignal }

/** Removes everything that is older than it may become. */
export async function runRetention ({ sql, metrics, days, signal }: RetentionOptions): Promise<void> {
  metrics.removedJobs.inc(await removeOldJobs(sql, { days, signal }))
  metrics.droppedDays.inc(await removeOldLines(sql, { days, signal }))
  await purgeReplaced(sql, { days, signal })
  await purgeBadItems(sql, { days, signal })
  await purgeExpired(sql, signal)
}
