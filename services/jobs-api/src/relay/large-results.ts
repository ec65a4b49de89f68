import type { JobEvent } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { identityKey, identityOf } from '../projector/identity.ts'
import { isRefusal } from '../projector/refusal.ts'
import { cut } from './text.ts'

/** What is kept of a result or an error, at most. */
export const MAX_KEPT_RESULT = 1024 * 1024

/** A result or an error above what an event may carry. */
export type LargeResult = { head: Pick<JobEvent, 'queue' | 'jobId' | 'generation'>, result?: string, error?: string }

/** Whether it is kept whole; of an error the begin is kept in any case. */
export function isKept ({ result, error }: LargeResult): boolean {
  return Buffer.byteLength(result ?? error ?? '') <= MAX_KEPT_RESULT
}

/**
 * Keeps what is too large for an event, before that event is told, so that
 * whoever hears of it can read it. Kept once per job: a retry's comes in place
 * of the former. Of a result above 1 MiB the row says that it is not kept.
 */
export async function keepLargeResults (sql: RawSql, large: LargeResult[]): Promise<void> {
  // A job that completed twice within one batch: the last counts, and no statement may touch a row twice.
  const byJob = [...new Map(large.map(one => [identityKey(identityOf(one.head)), one])).values()]
  for (const one of byJob) {
    await keep(sql, one).catch(async err => {
      if (!isRefusal(err)) throw err
      await keep(sql, { head: one.head })
    })
  }
}

async function keep (sql: RawSql, large: LargeResult): Promise<void> {
  const { head, result, error } = large
  const { queue, id, generationMs, generationSeq } = identityOf(head)
  const kept = result !== undefined && isKept(large) ? result : null
  await sql`
    insert into jobs.results (queue, id, generation_ms, generation_seq, result, error)
    values (${queue}, ${id}, ${generationMs}, ${generationSeq}, ${kept}::text::json, ${error === undefined ? null : cut(error, MAX_KEPT_RESULT)})
    on conflict (queue, id, generation_ms, generation_seq) do update
      set result = excluded.result, error = excluded.error, stored_at = now()`
}
