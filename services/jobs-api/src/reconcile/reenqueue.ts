import type { JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { isolate } from '../bad-items/isolate.ts'
import { isRefusedByBullMQ } from '../bad-items/refused-by-bullmq.ts'
import type { OpenRow } from './open-rows.ts'

export type Rejected = { row: OpenRow, err: Error }

/** Nothing is added once the signal has aborted. */
type ReenqueueContext = { queue: Queue, redis: Redis, signal: AbortSignal }
type Outcome = { added: OpenRow[], rejected: Rejected[] }

/**
 * Adds jobs to BullMQ, for the first time or again. Does nothing for a job that BullMQ still has. Jobs that BullMQ
 * refuses because of their options are returned, so that they do not keep the others from being added.
 */
export async function reenqueue (rows: OpenRow[], { queue, redis, signal }: ReenqueueContext): Promise<Outcome> {
  const rejected: Rejected[] = []
  if (rows.length === 0) return { added: [], rejected }
  const added = await isolate(rows, add, { isFault: isRefusedByBullMQ, onBad: reject })
  return { added, rejected }

  async function add (some: OpenRow[]): Promise<OpenRow[]> {
    signal.throwIfAborted()
    await queue.addBulk(some.map(row => ({ name: row.name, data: row.data, opts: optionsOf(row) })))
    return some
  }

  /** Only while Redis answers: otherwise the fault is not the job's. */
  async function reject (row: OpenRow, err: Error) {
    await redis.ping()
    rejected.push({ row, err })
  }
}

/** A delay counts from the submit, not from now. */
function optionsOf ({ id, options, created_ms: createdMs }: OpenRow): JobsOptions {
  const { delay = 0, ...others } = (options ?? {}) as JobsOptions
  const left = createdMs + delay - Date.now()
  return { ...others, jobId: id, ...(left > 0 && { delay: left }) }
}
