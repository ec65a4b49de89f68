import { hasEtag } from '@tidings/service-kit'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import type { ProjectionProgress } from '../projector/projection-progress.ts'
import { etagOf } from './etag.ts'
import type { FoundJob, JobKey } from './find-jobs.ts'
import { lastEventId } from './job-row.ts'

export type Wait = {
  key: JobKey
  waitMs: number
  /** The version that the client has. */
  ifNoneMatch: string | undefined
  /** The client is gone, or the service closes. */
  signal: AbortSignal
}

type Sources = { findJob: (key: JobKey) => Promise<FoundJob | undefined>, projection: ProjectionProgress }

/**
 * Reads the job once it differs from the client's version or, if the client sent none, once it is finished or has
 * changed since the request. At the end of the wait the job is returned unchanged.
 */
export async function waitForChange (
  { key, waitMs, ifNoneMatch, signal }: Wait, { findJob, projection }: Sources
): Promise<FoundJob | undefined> {
  const until = Date.now() + waitMs
  const read = new AbortController()
  let first: string | undefined
  try {
    for (;;) {
      // Started before the row is read, so that no change is missed in between.
      const changed = projection.waitForChange(key.userId, key.jobId, {
        timeoutMs: until - Date.now(), signal: AbortSignal.any([signal, read.signal])
      })
      const row = await findJob(key)
      if (!row) return undefined
      const tag = etagOf(lastEventId(row))
      first ??= tag
      const isChanged = ifNoneMatch === undefined
        ? tag !== first || row.state >= FIRST_FINAL_STATE
        : !hasEtag(ifNoneMatch, tag)
      if (isChanged || !await changed) return row
    }
  } finally {
    read.abort()
  }
}
