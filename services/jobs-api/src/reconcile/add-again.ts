import type { JobsOptions, Queue } from 'bullmq'
import type { OpenRow } from './open-row.ts'

/** Hands jobs to BullMQ, once more or for the first time. Of a job that it still has, this does nothing. */
export async function addAgain (queue: Queue, rows: OpenRow[]): Promise<void> {
  if (rows.length === 0) return
  await queue.addBulk(rows.map(row => ({ name: row.name, data: row.data, opts: optionsOf(row) })))
}

/** A delay counts from the submit, not from now. */
function optionsOf ({ id, options, created_ms: createdMs }: OpenRow): JobsOptions {
  const { delay = 0, ...others } = (options ?? {}) as JobsOptions
  const left = createdMs + delay - Date.now()
  return { ...others, jobId: id, ...(left > 0 && { delay: left }) }
}
