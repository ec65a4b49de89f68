import type { JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { isolate } from '../bad-items/isolate.ts'
import { isRefusedByBullMQ } from '../bad-items/item-fault.ts'
import type { OpenRow } from './open-rows.ts'

export type Refused = { row: OpenRow, err: Error }

/**
 * Hands jobs to BullMQ, once more or for the first time. Of a job that it still
 * has, this does nothing. What BullMQ refuses for its options is given back: it
 * must not keep all others from being added.
 */
export async function addAgain (rows: OpenRow[], { queue, redis }: { queue: Queue, redis: Redis }): Promise<{ added: OpenRow[], refused: Refused[] }> {
  const refused: Refused[] = []
  if (rows.length === 0) return { added: [], refused }
  const added = await isolate(rows, add, { isFault: isRefusedByBullMQ, onBad: refuse })
  return { added, refused }

  async function add (some: OpenRow[]): Promise<OpenRow[]> {
    await queue.addBulk(some.map(row => ({ name: row.name, data: row.data, opts: optionsOf(row) })))
    return some
  }

  /** Only while Redis answers: else it is not the job that fails. */
  async function refuse (row: OpenRow, err: Error) {
    await redis.ping()
    refused.push({ row, err })
  }
}

/** A delay counts from the submit, not from now. */
function optionsOf ({ id, options, created_ms: createdMs }: OpenRow): JobsOptions {
  const { delay = 0, ...others } = (options ?? {}) as JobsOptions
  const left = createdMs + delay - Date.now()
  return { ...others, jobId: id, ...(left > 0 && { delay: left }) }
}
