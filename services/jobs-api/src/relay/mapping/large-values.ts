import { MAX_KEPT_VALUE, type JobEvent, type JsonText } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { identityKey, identityOf, type JobIdentity } from '../../db/job-identity.ts'
import { truncateUtf8 } from '../../db/text.ts'
import { isTooDeep } from './json-value.ts'

type Head = Pick<JobEvent, 'queue' | 'jobId' | 'generation'>

/** Progress, a result or an error that exceeds what an event may carry; one of the three. */
export type LargeValue = { head: Head, progress?: JsonText, result?: JsonText, error?: string }

/** Whether the value is stored whole; of a larger error the first part is stored. */
export function isStoredWhole ({ progress, result, error }: LargeValue): boolean {
  const json = progress ?? result
  return Buffer.byteLength(json ?? error ?? '') <= MAX_KEPT_VALUE && !(json !== undefined && isTooDeep(json))
}

/**
 * Stores values that are too large for an event before the event is published, so that they can be read once it is
 * known. One value is stored per job: a newer one replaces it. Progress and results above 1 MiB are not stored, and the
 * row says so.
 */
export async function storeLargeValues (sql: RawSql, large: LargeValue[]): Promise<void> {
  // If a batch has several values of a job, the last one counts.
  const newest = [...new Map(large.map(one => [keyOf(one), one])).values()]
  for (const one of newest) {
    await store(sql, one, { isWhole: isStoredWhole(one) }).catch(async err => {
      if (!isDataError(err)) throw err
      await store(sql, one, { isWhole: false })
    })
  }
}

function keyOf ({ head, progress }: LargeValue): string {
  return `${progress === undefined ? 'outcome' : 'progress'} ${identityKey(identityOf(head))}`
}

/** Whether Postgres refused a value, as it would again (22: data exception, 54: program limit exceeded). */
function isDataError (err: unknown): boolean {
  const { code } = err as { code?: unknown }
  return typeof code === 'string' && /^(22|54)/.test(code)
}

async function store (
  sql: RawSql, { head, progress, result, error }: LargeValue, { isWhole }: { isWhole: boolean }
): Promise<void> {
  const identity = identityOf(head)
  if (progress !== undefined) return await storeProgress(sql, identity, isWhole ? progress : null)
  await storeOutcome(sql, identity, {
    result: isWhole ? result ?? null : null,
    error: error === undefined ? null : truncateUtf8(error, MAX_KEPT_VALUE),
    isTruncated: !isWhole
  })
}

async function storeProgress (
  sql: RawSql, { queue, id, generationMs, generationSeq }: JobIdentity, progress: string | null
): Promise<void> {
  await sql`
    insert into jobs.results (queue, id, generation_ms, generation_seq, progress)
    values (${queue}, ${id}, ${generationMs}, ${generationSeq}, ${progress}::text::json)
    on conflict (queue, id, generation_ms, generation_seq) do update
      set progress = excluded.progress, stored_at = now()`
}

type Outcome = { result: string | null, error: string | null, isTruncated: boolean }

async function storeOutcome (
  sql: RawSql, { queue, id, generationMs, generationSeq }: JobIdentity, { result, error, isTruncated }: Outcome
): Promise<void> {
  await sql`
    insert into jobs.results (queue, id, generation_ms, generation_seq, result, error, error_truncated)
    values (${queue}, ${id}, ${generationMs}, ${generationSeq}, ${result}::text::json, ${error}, ${error !== null && isTruncated})
    on conflict (queue, id, generation_ms, generation_seq) do update
      set result = excluded.result, error = excluded.error, error_truncated = excluded.error_truncated, stored_at = now()`
}
