import createError from '@fastify/error'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { jsonText, MAX_KEPT_VALUE, userIdText, type JsonText } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { inQueue } from '../commands/queued-job.ts'
import { isTooDeep, jsonValue } from '../relay/mapping/json-value.ts'
import type { FoundJob } from './find-jobs.ts'

export const DataNotVisible = createError('DATA_NOT_VISIBLE',
  'The data of jobs is not shown here: JOB_DATA_VISIBLE is false', 403)

/** A larger value is never transferred. */
const MAX_DATA_BYTES = MAX_KEPT_VALUE

/** The data as the member of a job: its JSON, or why it is not there. */
export type JobData =
  { data: JsonText } |
  /** It is larger than 1 MiB, or nested too deeply to be read by others. */
  { dataTruncated: true } |
  /** BullMQ has removed it, or its queue is not relayed any more. */
  { dataRemoved: true }

type Context = {
  userId: string
  sql: RawSql
  redis: Redis
  findQueue: (name: string) => Queue
  isRelayed: (name: string) => boolean
}

/**
 * What a job was submitted with: from its row, or from BullMQ's hash as long as that is there (a completed job, a job
 * of another producer). The text is that of the producer.
 * @throws QUEUE_AWAY
 */
export async function readJobData (row: FoundJob, context: Context): Promise<JobData> {
  const [stored] = await context.sql<{ data: JsonText | null }[]>`
    select data::text as data from jobs.jobs where n = ${row.n}`
  if (stored?.data) return { data: stored.data }
  if (!context.isRelayed(row.queue)) return { dataRemoved: true }
  return await inQueue(row, context.findQueue, async queue => await dataInBullmq(row, queue, context))
}

async function dataInBullmq (row: FoundJob, queue: Queue, { userId, redis }: Context): Promise<JobData> {
  const key = queue.toKey(row.id)
  if (await redis.type(key) !== 'hash') return { dataRemoved: true }
  const [timestamp, name] = await redis.hmget(key, 'timestamp', 'name')
  if (timestamp === null || name === null || Number(timestamp) !== row.created_ms) return { dataRemoved: true }
  if (await redis.hstrlen(key, 'data') > MAX_DATA_BYTES) return { dataTruncated: true }
  const text = await redis.hget(key, 'data')
  const data = jsonValue(text ?? undefined)
  // The id may be that of a later job of the same millisecond, of another user.
  const owner = userIdText((JSON.parse(data) as { userId?: unknown } | null)?.userId)
  if (text === null || (owner !== undefined && owner !== userId)) return { dataRemoved: true }
  return isTooDeep(data) ? { dataTruncated: true } : { data }
}

/** The response of a job, with its data as its last member. */
export function withData (job: JsonText, found: JobData): JsonText {
  const member = 'data' in found ? `"data":${found.data}` : jsonText(found).slice(1, -1)
  return `${job.slice(0, -1)},${member}}` as JsonText
}
