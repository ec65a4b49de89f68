import type { RawSql } from '@tidings/service-kit'
import type { BackgroundMetrics } from '../metrics.ts'
import type { Retention } from './in-batches.ts'
import { purgeBadItems } from './purge-bad-items.ts'
import { purgeExpired } from './purge-expired.ts'
import { purgeReplaced, removeOldJobs } from './remove-old-jobs.ts'
import { removeOldLines } from './remove-old-lines.ts'

type RetentionOptions = Retention & { sql: RawSql, metrics: BackgroundMetrics }

/** Removes everything that is older than it may become. */
export async function runRetention ({ sql, metrics, ...retention }: RetentionOptions): Promise<void> {
  metrics.removedJobs.inc(await removeOldJobs(sql, retention))
  metrics.droppedDays.inc(await removeOldLines(sql, retention))
  await purgeReplaced(sql, retention)
  await purgeBadItems(sql, retention)
  await purgeExpired(sql, retention)
}
