import type { ChainableCommander, Redis } from 'ioredis'
import { MAX_NAME_LENGTH, userIdFault, userIdText } from '@tidings/contracts'
import { storable } from './text.ts'

/** Data beyond this many bytes is read job by job: together they would fill the memory. */
const LARGE_DATA_BYTES = 64 * 1024
/** Data beyond this many bytes is not searched for a user: it has to cross the wire whole, and to be parsed. */
const MAX_DATA_BYTES = 8 * 1024 * 1024
const AT_A_TIME = 50

/** A longer id of a scheduler or a deduplication is not stored: an index takes no text of 3,000 bytes. */
const MAX_SLOT_BYTES = 1024

/** What BullMQ's hash of a job says; `userId` is undefined where its data names none, `fault` says why where it names something. */
export type JobHash = { userId: string | undefined, fault?: string, name: string, created: number, attempts: number, slot: string | undefined }

/**
 * The hashes of jobs, undefined where there is none, and BullMQ's newest event
 * id right after they were read: as long as that is known, nothing can have
 * happened to them unseen.
 */
export async function readHashes (redis: Redis, prefix: string, jobIds: string[]): Promise<{ hashes: (JobHash | undefined)[], last: string }> {
  const hashes: (JobHash | undefined)[] = []
  for (let i = 0; i < jobIds.length; i += AT_A_TIME) hashes.push(...await readSome(redis, prefix, jobIds.slice(i, i + AT_A_TIME)))
  const newest = await redis.xrevrange(`${prefix}events`, '+', '-', 'COUNT', 1)
  return { hashes, last: newest[0]?.[0] ?? '0-0' }
}

async function readSome (redis: Redis, prefix: string, jobIds: string[]): Promise<(JobHash | undefined)[]> {
  const keys = jobIds.map(jobId => prefix + jobId)
  const sizes = await inOneGo<number>(redis, pipeline => keys.forEach(key => pipeline.hstrlen(key, 'data')))
  const hashes = await inOneGo<(string | null)[]>(redis, pipeline => keys.forEach((key, i) => {
    const isSmall = (sizes[i] ?? 0) <= LARGE_DATA_BYTES
    pipeline.hmget(key, 'timestamp', 'name', 'opts', 'rjk', 'deid', ...(isSmall ? ['data'] : []))
  }))
  const read: (JobHash | undefined)[] = []
  for (const [i, hash] of hashes.entries()) read.push(hashOf(hash, await ownerOf(redis, keys[i] as string, { data: hash[5], bytes: sizes[i] ?? 0 })))
  return read
}

async function inOneGo<Reply> (redis: Redis, fill: (pipeline: ChainableCommander) => void): Promise<Reply[]> {
  const pipeline = redis.pipeline()
  fill(pipeline)
  return (await pipeline.exec() ?? []).map(([err, reply]) => {
    if (err) throw err
    return reply as Reply
  })
}

type Named = Pick<JobHash, 'userId' | 'fault'>

/** Whom a job's data names. */
async function ownerOf (redis: Redis, key: string, { data, bytes }: { data: string | null | undefined, bytes: number }): Promise<Named> {
  if (bytes > MAX_DATA_BYTES) return { userId: undefined, fault: `Data above ${MAX_DATA_BYTES} bytes is not searched for a user` }
  const claim = fieldOf(data === undefined ? await redis.hget(key, 'data') : data, 'userId')
  const userId = userIdText(claim)
  return userId === undefined && claim !== undefined && claim !== null ? { userId, fault: userIdFault(claim) } : { userId }
}

function hashOf ([timestamp, name, opts, rjk, deid]: (string | null)[], named: Named): JobHash | undefined {
  if (timestamp === null || timestamp === undefined) return undefined
  return {
    ...named,
    name: name ?? '',
    created: Math.trunc(Number(timestamp)) || 0,
    attempts: attemptsOf(fieldOf(opts, 'attempts')),
    slot: slotOf(rjk, deid)
  }
}

/** As the rest of BullMQ's key: `repeat:<scheduler>`, whose jobs are replaced whatever their deduplication, or `de:<deduplication id>`. */
function slotOf (rjk: string | null | undefined, deid: string | null | undefined): string | undefined {
  const slot = rjk ? `repeat:${rjk}` : deid ? `de:${deid}` : undefined
  return slot === undefined || slot.includes('\0') || Buffer.byteLength(slot) > MAX_SLOT_BYTES ? undefined : slot
}

/** A name that clients can be told and lists be filtered by, whatever its producer called the job: an index takes no text of 3,000 bytes. */
export function nameOf (name: string): string {
  return storable(name).slice(0, MAX_NAME_LENGTH)
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
