import type { ChainableCommander, Redis } from 'ioredis'
import { MAX_NAME_LENGTH, userIdFault, userIdText } from '@tidings/contracts'
import { pipelineReplies, WrongType } from '../../bullmq/pipeline-replies.ts'
import { replaceNul } from '@tidings/service-kit'
import { readLargeOwner } from './large-job-data.ts'

/** Larger fields are not read with the others: those of many jobs at once would fill the memory. */
const MAX_FIELD_BYTES = 1024 * 1024
const BATCH = 50
const MAX_INT4 = 2_147_483_647
const FIELDS = ['timestamp', 'name', 'opts', 'rjk', 'deid', 'data'] as const

/** A longer id of a scheduler or a deduplication is not stored: an index cannot hold a text of 3,000 bytes. */
const MAX_SLOT_BYTES = 1024

/** BullMQ's hash of a job. `userId` is undefined if its data names no valid user; `fault` says what is invalid. */
export type JobHash = {
  userId: string | undefined
  fault?: string
  name: string
  created: number
  attempts: number
  slot: string | undefined
}

type ReadHash = JobHash | Error | undefined

/**
 * Reads the hashes of jobs: undefined if there is none, an error if it cannot be read. Then reads BullMQ's newest event
 * id: if that id is known already, nothing can have happened to the jobs unseen.
 */
export async function readJobHashes (
  redis: Redis, prefix: string, jobIds: string[]
): Promise<{ hashes: ReadHash[], last: string }> {
  const hashes: ReadHash[] = []
  for (let i = 0; i < jobIds.length; i += BATCH) {
    hashes.push(...await readSome(redis, prefix, jobIds.slice(i, i + BATCH)))
  }
  const newest = await redis.xrevrange(`${prefix}events`, '+', '-', 'COUNT', 1)
  return { hashes, last: newest[0]?.[0] ?? '0-0' }
}

async function readSome (redis: Redis, prefix: string, jobIds: string[]): Promise<ReadHash[]> {
  const keys = jobIds.map(jobId => prefix + jobId)
  const sizes = await inOnePipeline<number>(redis, pipeline => {
    for (const key of keys) for (const field of FIELDS) pipeline.hstrlen(key, field)
  })
  const sizeOf = (i: number, field: number) => {
    const size = sizes[i * FIELDS.length + field]
    return typeof size === 'number' ? size : 0
  }
  // Instead of a field that is too large, one that no hash has is read.
  const values = await inOnePipeline<(string | null)[]>(redis, pipeline => {
    for (const [i, key] of keys.entries()) {
      pipeline.hmget(key, ...FIELDS.map((field, at) => sizeOf(i, at) <= MAX_FIELD_BYTES ? field : ''))
    }
  })
  const hashes: ReadHash[] = []
  for (const [i, value] of values.entries()) {
    const size = sizeOf(i, FIELDS.indexOf('data'))
    const largeOwner = async () => await readLargeOwner(redis, keys[i] as string, size)
    const isLarge = size > MAX_FIELD_BYTES
    hashes.push(value instanceof WrongType ? value : await hashOf(value, isLarge ? largeOwner : undefined))
  }
  return hashes
}

async function inOnePipeline<Reply> (
  redis: Redis, fill: (pipeline: ChainableCommander) => void
): Promise<(Reply | WrongType)[]> {
  const pipeline = redis.pipeline()
  fill(pipeline)
  return await pipelineReplies<Reply>(pipeline)
}

async function hashOf (
  [timestamp, name, opts, rjk, deid, data]: (string | null)[], largeOwner?: () => Promise<unknown>
): Promise<ReadHash> {
  if (timestamp === null || timestamp === undefined) return undefined
  return {
    ...userOf(largeOwner ? await largeOwner() : fieldOf(data, 'userId')),
    name: name ?? '',
    created: timeOf(timestamp) ?? 0,
    attempts: attemptsOf(fieldOf(opts, 'attempts')),
    slot: slotOf(rjk, deid)
  }
}

/** The user that a claim names, or the fault if it names an invalid one. */
function userOf (claim: unknown): Pick<JobHash, 'userId' | 'fault'> {
  if (claim instanceof Error) return { userId: undefined, fault: claim.message }
  const userId = userIdText(claim)
  const isInvalid = userId === undefined && claim !== undefined && claim !== null
  return isInvalid ? { userId, fault: userIdFault(claim) } : { userId }
}

/** Parses a time in milliseconds; undefined if a row could not hold it. */
export function timeOf (text: string): number | undefined {
  const time = Math.trunc(Number(text))
  return Number.isSafeInteger(time) && time >= 0 ? time : undefined
}

/**
 * The slot as the rest of BullMQ's key: `repeat:<scheduler>`, whose jobs are replaced even if they have a deduplication
 * id, or `de:<deduplication id>`.
 */
function slotOf (rjk: string | null | undefined, deid: string | null | undefined): string | undefined {
  const slot = rjk ? `repeat:${rjk}` : deid ? `de:${deid}` : undefined
  return slot === undefined || slot.includes('\0') || Buffer.byteLength(slot) > MAX_SLOT_BYTES ? undefined : slot
}

/**
 * Cuts a producer's job name to one that clients can display and lists can filter by: an index cannot hold 3,000 bytes.
 */
export function nameOf (name: string): string {
  return replaceNul(name.slice(0, MAX_NAME_LENGTH)).toWellFormed()
}

function attemptsOf (attempts: unknown): number {
  const isCount = typeof attempts === 'number' && Number.isInteger(attempts) && attempts > 0
  return isCount ? Math.min(attempts, MAX_INT4) : 1
}

function fieldOf (json: string | null | undefined, field: string): unknown {
  try {
    const value = JSON.parse(json ?? 'null') as Record<string, unknown> | null
    return typeof value === 'object' ? value?.[field] : undefined
  } catch {
    return undefined // a producer wrote invalid JSON: it names no user
  }
}
