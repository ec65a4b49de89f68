import { jsonText, jsonWith, type JsonText } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { MAX_SAMPLE_LENGTH, MAX_SAMPLES, strideOf } from '../projector/progress-samples.ts'
import { jobLines, type LinesKey } from './timeline.ts'

type Sample = { number: number, timestamp: number, progress: JsonText | null }
type Last = { count: number, timestamp: number | null, progress: JsonText | null, is_known: boolean }

/**
 * At most 200 samples of a job's progress as JSON, oldest first: the first one, the last one, and others at the same
 * distance, counted in slots of time with progress.
 */
export async function readSamples (sql: RawSql, job: LinesKey): Promise<JsonText[]> {
  const [last] = await sql<Last[]>`
    select progress_count as count, progress_at_ms as timestamp, progress is not null or progress_truncated as is_known,
      case when length(progress::text) <= ${MAX_SAMPLE_LENGTH} then progress::text end as progress
    from jobs.jobs where n = ${job.n}`
  if (!last || last.count === 0) return []
  const samples = await selectSamples(sql, job, strideOf(last.count))
  // While a day is dropped, its lines are in two tables; and a batch may move samples from the row to a line.
  const byNumber = new Map(samples.map(sample => [sample.number, sample]))
  const newest = Math.max(0, ...samples.map(sample => sample.timestamp))
  if (last.is_known && last.timestamp !== null && last.timestamp > newest) {
    byNumber.set(last.count, { number: last.count, timestamp: last.timestamp, progress: last.progress })
  }
  const all = [...byNumber.values()].toSorted((a, b) => a.number - b.number)
  if (all.length > MAX_SAMPLES) all.splice(-2, 1) // all, and the last one
  return all.map(({ timestamp, progress }) => progress === null
    ? jsonText({ timestamp, progress, progressTruncated: true })
    : jsonWith({ timestamp }, 'progress', progress))
}

/** The texts of the values are those of the worker. */
export function selectSamples (sql: RawSql, job: LinesKey, stride: number) {
  return sql<Sample[]>`
    select (sample->>0)::int as number, (sample->>1)::bigint as timestamp, (sample->2)::text as progress
    from (
      select samples from (${jobLines(sql, job, sql`samples is not null`)}) line
      union all
      select ('[' || samples || ']')::json from jobs.jobs where n = ${job.n} and samples is not null
    ) line cross join json_array_elements(line.samples) sample
    where (sample->>0)::int % ${stride}::int = 0`
}
