import type { Redis } from 'ioredis'
import { MAX_KEPT_VALUE, type PublishedJobEvent } from '@tidings/contracts'
import { replaceNul, type RawSql } from '@tidings/service-kit'
import { pipelineReplies, WrongType } from '../bullmq/pipeline-replies.ts'
import { jsonValue } from '../relay/mapping/json-value.ts'
import { storeLargeValues, type LargeValue } from '../relay/mapping/large-values.ts'
import { timeOf } from '../relay/ownership/read-job-hashes.ts'
import type { FindQueue } from '../submit/enqueue.ts'

type Context = { sql: RawSql, redis: Redis, findQueue: FindQueue }
type Field = 'progress' | 'returnvalue' | 'failedReason'

/**
 * Stores values again that were too large for these events, from BullMQ's hashes: the relay had stored them in a state
 * that Postgres has lost. What BullMQ does not have any more stays truncated. One value at a time, of up to 1 MiB.
 */
export async function restoreLargeValues (
  events: readonly PublishedJobEvent[], { sql, redis, findQueue }: Context
): Promise<void> {
  for (const event of events) {
    const field = truncatedField(event)
    const key = field && keyOf(event, findQueue)
    const text = key && await readField(redis, { key, field, created: event.created })
    if (text) await storeLargeValues(sql, [valueOf(event, field, text)])
  }
}

function truncatedField ({ progressTruncated, resultTruncated, errorTruncated }: PublishedJobEvent): Field | undefined {
  if (progressTruncated) return 'progress'
  if (resultTruncated) return 'returnvalue'
  return errorTruncated ? 'failedReason' : undefined
}

/** Undefined for a queue that is not relayed any more. */
function keyOf ({ queue, jobId }: PublishedJobEvent, findQueue: FindQueue): string | undefined {
  try {
    return findQueue(queue).toKey(jobId)
  } catch (err) {
    if (err instanceof RangeError) return undefined
    throw err
  }
}

/** Undefined if the hash is gone, belongs to another job by now, or has more than is kept. */
async function readField (
  redis: Redis, { key, field, created }: { key: string, field: Field, created: number | undefined }
): Promise<string | undefined> {
  const pipeline = redis.pipeline()
  pipeline.hstrlen(key, field)
  pipeline.hget(key, 'timestamp')
  const [bytes, timestamp] = await pipelineReplies<number | string | null>(pipeline)
  if (bytes instanceof WrongType || Number(bytes) > MAX_KEPT_VALUE) return undefined
  if (created !== undefined && timeOf(String(timestamp)) !== created) return undefined
  return await redis.hget(key, field) ?? undefined
}

function valueOf (head: PublishedJobEvent, field: Field, text: string): LargeValue {
  switch (field) {
    case 'progress': return { head, progress: jsonValue(text) }
    case 'returnvalue': return { head, result: jsonValue(text) }
    case 'failedReason': return { head, error: replaceNul(text) }
    default: return field satisfies never
  }
}
