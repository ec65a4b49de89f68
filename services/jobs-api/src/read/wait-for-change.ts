import type { Watch } from '../projector/projection-progress.ts'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import { etagOf, matches } from './etag.ts'
import type { FoundJob, JobKey } from './find-jobs.ts'
import { lastEventId } from './job-row.ts'

type Hold = {
  key: JobKey
  waitMs: number
  /** What the client knows already. */
  ifNoneMatch: string | undefined
  /** The client left, or the service closes. */
  signal: AbortSignal
}

type Sources = { findJob: (key: JobKey) => Promise<FoundJob | undefined>, projected: Watch }

/**
 * The job once it is news: other than what the client knows, or, where it said
 * nothing, finished or changed since now. At the end of the wait: as it is.
 */
export async function holdUntilNews ({ key, waitMs, ifNoneMatch, signal }: Hold, { findJob, projected }: Sources): Promise<FoundJob | undefined> {
  const until = Date.now() + waitMs
  const read = new AbortController()
  let first: string | undefined
  try {
    for (;;) {
      // Begun before the row is read, so that no change falls between.
      const changed = projected.changed(key.userId, key.jobId, { timeoutMs: until - Date.now(), signal: AbortSignal.any([signal, read.signal]) })
      const row = await findJob(key)
      if (!row) return undefined
      const tag = etagOf(lastEventId(row))
      first ??= tag
      const isNews = ifNoneMatch === undefined ? tag !== first || row.state >= FIRST_FINAL_STATE : !matches(ifNoneMatch, tag)
      if (isNews || !await changed) return row
    }
  } finally {
    read.abort()
  }
}
