import { pgColumns, type RawSql } from '@tidings/service-kit'
import { commonColumns, type JobRow } from './job-row.ts'

/** The key by which a user requests a job; without a queue it means the newest job of that id. */
export type JobKey = { userId: string, jobId: string, queue?: string | undefined }

/** A found row, whether it was submitted here, when it was adopted otherwise, and the number of its key (from 1). */
export type FoundJob = JobRow & { submitted_here: boolean, generation_ms: number, place: number }

/**
 * Reads many jobs at once, each by one descent of the index (user_id, id, n). Values that were too large for an event
 * come from the table `results`.
 */
export async function findJobs (sql: RawSql, keys: JobKey[]): Promise<(FoundJob | undefined)[]> {
  const { texts } = pgColumns(keys)
  const rows = await sql<FoundJob[]>`
    select ${commonColumns(sql)}, jobs.attempts_made, jobs.attempts_max, jobs.ours as submitted_here, jobs.generation_ms, wanted.place::int,
      case when jobs.progress_truncated then kept.progress else jobs.progress end::text as progress,
      jobs.progress_truncated and kept.progress is null as progress_truncated,
      case when jobs.result_truncated then kept.result else jobs.result end::text as result,
      case when jobs.result_truncated then coalesce(kept.error, jobs.failed_reason) else jobs.failed_reason end as failed_reason,
      jobs.result_truncated and case when kept.error is null then kept.result is null else kept.error_truncated end as result_truncated
    from unnest(
      ${texts('userId')}::text[], ${texts('jobId')}::text[], ${texts('queue')}::text[]
    ) with ordinality as wanted (user_id, id, queue, place)
    cross join lateral (
      select * from jobs.jobs
      where jobs.user_id = wanted.user_id and jobs.id = wanted.id and (wanted.queue is null or jobs.queue = wanted.queue)
      order by jobs.n desc limit 1
    ) as jobs
    left join jobs.results as kept on (jobs.result_truncated or jobs.progress_truncated)
      and kept.queue = jobs.queue and kept.id = jobs.id
      and kept.generation_ms = jobs.generation_ms and kept.generation_seq = jobs.generation_seq`
  const found: (FoundJob | undefined)[] = keys.map(() => undefined)
  for (const row of rows) found[row.place - 1] = row
  return found
}
