import { MAX_KEPT_VALUE, type JobEvent, type JsonText } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { identityKey, identityOf, type Identity } from '../../db/job-identity.ts'
import { isRefusal } from '../../db/data-error.ts'
import { cut } from '../../db/text.ts'
import { isTooDeep } from './json-value.ts'

/** Progress, a result or an error above what an event may carry; one of them. */
export type LargeResult = { head: Pick<JobEvent, 'queue' | 'jobId' | 'generation'>, progress?: JsonText, result?: JsonText, error?: string }

/** Whether it is kept whole; of an error the beginning is kept in any case. */
export function isKept ({ progress, result, error }: LargeResult): boolean {
  const json = progress ?? result
  return Buffer.byteLength(json ?? error ?? '') <= MAX_KEPT_VALUE && !(json !== undefined && isTooDeep(json))
}

/**
 * Keeps what is too large for an event, before that event is told, so that
 * whoever hears of it can read it. Kept once per job: a newer one comes in
 * place of the former. Of progress and results above 1 MiB nothing is kept, and
 * the row says so.
 */
export async function keepLargeResults (sql: RawSql, large: LargeResult[]): Promise<void> {
  // Several of one job within one batch: the last counts.
  const newest = [...new Map(large.map(one => [keyOf(one), one])).values()]
  for (const one of newest) {
    await keep(sql, one, { isKept: isKept(one) }).catch(async err => {
      if (!isRefusal(err)) throw err
      await keep(sql, one, { isKept: false })
    })
  }
}

function keyOf ({ head, progress }: LargeResult): string {
  return `${progress === undefined ? 'outcome' : 'progress'} ${identityKey(identityOf(head))}`
}

async function keep (sql: RawSql, { head, progress, result, error }: LargeResult, { isKept }: { isKept: boolean }): Promise<void> {
  const identity = identityOf(head)
  if (progress !== undefined) await keepProgress(sql, identity, isKept ? progress : null)
  else await keepOutcome(sql, identity, { result: isKept ? result ?? null : null, error: error === undefined ? null : cut(error, MAX_KEPT_VALUE), isCut: !isKept })
}

async function keepProgress (sql: RawSql, { queue, id, generationMs, generationSeq }: Identity, progress: string | null): Promise<void> {
  await sql`
    insert into jobs.results (queue, id, generation_ms, generation_seq, progress)
    values (${queue}, ${id}, ${generationMs}, ${generationSeq}, ${progress}::text::json)
    on conflict (queue, id, generation_ms, generation_seq) do update
      set progress = excluded.progress, stored_at = now()`
}

type Outcome = { result: string | null, error: string | null, isCut: boolean }

async function keepOutcome (sql: RawSql, { queue, id, generationMs, generationSeq }: Identity, { result, error, isCut }: Outcome): Promise<void> {
  await sql`
    insert into jobs.results (queue, id, generation_ms, generation_seq, result, error, error_truncated)
    values (${queue}, ${id}, ${generationMs}, ${generationSeq}, ${result}::text::json, ${error}, ${error !== null && isCut})
    on conflict (queue, id, generation_ms, generation_seq) do update
      set result = excluded.result, error = excluded.error, error_truncated = excluded.error_truncated, stored_at = now()`
}
