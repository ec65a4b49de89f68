import type { ChainableCommander, Redis } from 'ioredis'
import { MAX_NAME_LENGTH, userIdFault, userIdText } from '@tidings/contracts'
import { readLargeOwner } from './large-job-data.ts'
import { repliesOf, WrongType } from '../../bullmq/pipeline-replies.ts'
import { storable } from '../../db/text.ts'

/** Fields beyond this many bytes are not read with the others: of many jobs at once they would fill the memory. */
const MAX_FIELD_BYTES = 1024 * 1024
const AT_A_TIME = 50
const FIELDS = ['timestamp', 'name', 'opts', 'rjk', 'deid', 'data'] as const

/** A longer id of a scheduler or a deduplication is not stored: an index takes no text of 3,000 bytes. */
const MAX_SLOT_BYTES = 1024

/** What BullMQ's hash of a job says; `userId` is undefined where its data names none, `fault` says why where it names something. */
export type JobHash = { userId: string | undefined, fault?: string, name: string, created: number, attempts: number, slot: string | undefined }

type Read = JobHash | Error | undefined

/**
 * The hashes of jobs: undefined where there is none, an error where it cannot be
 * read. And BullMQ's newest event id right after they were read: as long as that
 * is known, nothing can have happened to them unseen.
 */
export async function readHashes (redis: Redis, prefix: string, jobIds: string[]): Promise<{ hashes: Read[], last: string }> {
  const hashes: Read[] = []
  for (let i = 0; i < jobIds.length; i += AT_A_TIME) hashes.push(...await readSome(redis, prefix, jobIds.slice(i, i + AT_A_TIME)))
  const newest = await redis.xrevrange(`${prefix}events`, '+', '-', 'COUNT', 1)
  return { hashes, last: newest[0]?.[0] ?? '0-0' }
}

async function readSome (redis: Redis, prefix: string, jobIds: string[]): Promise<Read[]> {
  const keys = jobIds.map(jobId => prefix + jobId)
  const sizes = await inOneGo<number>(redis, pipeline => keys.forEach(key => FIELDS.forEach(field => pipeline.hstrlen(key, field))))
  const sizeOf = (i: number, field: number) => {
    const size = sizes[i * FIELDS.length + field]
    return typeof size === 'number' ? size : 0
  }
  // A field that is too large is asked for under a name that no hash has.
  const values = await inOneGo<(string | null)[]>(redis, pipeline => keys.forEach((key, i) =>
    pipeline.hmget(key, ...FIELDS.map((field, at) => sizeOf(i, at) <= MAX_FIELD_BYTES ? field : ''))))
  const hashes: Read[] = []
  for (const [i, value] of values.entries()) {
    const size = sizeOf(i, FIELDS.indexOf('data'))
    hashes.push(value instanceof WrongType ? value : await hashOf(value, size <= MAX_FIELD_BYTES ? undefined : async () => await readLargeOwner(redis, keys[i] as string, size)))
  }
  return hashes
}

async function inOneGo<Reply> (redis: Redis, fill: (pipeline: ChainableCommander) => void): Promise<(Reply | WrongType)[]> {
  const pipeline = redis.pipeline()
  fill(pipeline)
  return await repliesOf<Reply>(pipeline)
}

async function hashOf ([timestamp, name, opts, rjk, deid, data]: (string | null)[], largeOwner?: () => Promise<unknown>): Promise<Read> {
  if (timestamp === null || timestamp === undefined) return undefined
  return {
    ...namedBy(largeOwner ? await largeOwner() : fieldOf(data, 'userId')),
    name: name ?? '',
    created: timeOf(timestamp) ?? 0,
    attempts: attemptsOf(fieldOf(opts, 'attempts')),
    slot: slotOf(rjk, deid)
  }
}

/** Whom a claim names; the fault where it names something that is no user. */
function namedBy (claim: unknown): Pick<JobHash, 'userId' | 'fault'> {
  if (claim instanceof Error) return { userId: undefined, fault: claim.message }
  const userId = userIdText(claim)
  return userId === undefined && claim !== undefined && claim !== null ? { userId, fault: userIdFault(claim) } : { userId }
}

/** A time in milliseconds as somebody wrote it; undefined where it is none that a row could hold. */
export function timeOf (text: string): number | undefined {
  const time = Math.trunc(Number(text))
  return Number.isSafeInteger(time) && time >= 0 ? time : undefined
}

/** As the rest of BullMQ's key: `repeat:<scheduler>`, whose jobs are replaced whatever their deduplication, or `de:<deduplication id>`. */
function slotOf (rjk: string | null | undefined, deid: string | null | undefined): string | undefined {
  const slot = rjk ? `repeat:${rjk}` : deid ? `de:${deid}` : undefined
  return slot === undefined || slot.includes('\0') || Buffer.byteLength(slot) > MAX_SLOT_BYTES ? undefined : slot
}

/** A name that clients can be told and lists be filtered by, whatever its producer called the job: an index takes no text of 3,000 bytes. */
export function nameOf (name: string): string {
  return storable(name.slice(0, MAX_NAME_LENGTH)).toWellFormed()
}

function attemptsOf (attempts: unknown): number {
  return typeof attempts === 'number' && Number.isInteger(attempts) && attempts > 0 ? Math.min(attempts, 2_147_483_647) : 1
}

function fieldOf (json: string | null | undefined, field: string): unknown {
  try {
    const value = JSON.parse(json ?? 'null') as Record<string, unknown> | null
    return typeof value === 'object' ? value?.[field] : undefined
  } catch {
    return undefined // data that other producers wrote by hand: it names nobody
  }
}
