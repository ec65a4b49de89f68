import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { loadLua, replaceNul } from '@tidings/service-kit'
import { truncateUtf8 } from '../../db/text.ts'
import type { BullmqEvent } from '../source/bullmq-event.ts'
import type { RawEntry } from '../source/bullmq-event-reader.ts'
import { messageOf, stacksOf } from './stack-message.ts'

/** Bytes of the error of an attempt that is retried; that of the last attempt has its own, larger bound. */
const MAX_ERROR_BYTES = 4096
/** Stacks beyond this many bytes are not read: then only the newest error of a job is known. */
const MAX_STACKS_BYTES = 64 * 1024
/** Jobs whose number of failures is remembered. */
const REMEMBERED = 20_000

const LUA = loadLua('attempt-errors', import.meta.url)

type Failures = [failures: string, error: string, stacks: string]
type Command = { tidingsAttemptErrors (keys: number, ...keysAndBounds: (string | number)[]): Promise<Failures[]> }

/** The ends of a job's attempts in a page, oldest first: ids of entries; undefined for `failed`, which has an error. */
type Ends = (string | undefined)[]

/** Failures of a job before and after the page whose first end was `first`: a page may be mapped again. */
type Counted = { first: string | undefined, before: number, after: number }

/**
 * BullMQ writes no error with the event of a job that it tries again, only into the job's hash. This reads it for the
 * entries of a page that end an attempt: one script for all of them, none for a page without one. The result is by the
 * id of the entry.
 *
 * The hash is often ahead of the entry, so an error is chosen by its number: failures are counted in the hash, and here
 * for jobs whose start was relayed. An attempt that ended without a failure (a step, a rate limit, a stall) does not
 * change the hash's count.
 */
export function createAttemptErrors (client: Redis, prefix: string) {
  const redis = withCommand(client)
  const counted = new LRUCache<string, Counted>({ max: REMEMBERED })

  return async function attemptErrors (entries: BullmqEvent[], raw: RawEntry[]): Promise<Map<string, string>> {
    const errors = new Map<string, string>()
    const ends = endsOf(entries, raw)
    if (ends.size > 0) await read(ends, errors)
    for (const { event, jobId } of entries) {
      if (event === 'completed' || event === 'failed') counted.delete(jobId)
    }
    return errors
  }

  async function read (ends: Map<string, Ends>, errors: Map<string, string>): Promise<void> {
    const keys = [...ends.keys()].map(jobId => prefix + jobId)
    const found = await redis.tidingsAttemptErrors(keys.length, ...keys, MAX_ERROR_BYTES + 4, MAX_STACKS_BYTES)
    for (const [i, [jobId, ids]] of [...ends].entries()) {
      const [failures, newest, stacks] = found[i] as Failures
      const count = Number(failures) || 0
      const [first] = ids
      const last = counted.get(jobId)
      const before = (last?.first === first ? last?.before : last?.after) ?? Math.max(0, count - ids.length)
      counted.set(jobId, { first, before, after: Math.min(count, before + ids.length) })
      const texts = count > before + 1 ? stacksOf(stacks) : []
      for (const [at, id] of ids.slice(0, count - before).entries()) {
        const ahead = count - (before + at + 1)
        const text = ahead === 0 ? newest : messageOf(texts.at(-1 - ahead))
        if (id !== undefined && text) errors.set(id, truncateUtf8(replaceNul(text), MAX_ERROR_BYTES))
      }
    }
  }

  function endsOf (entries: BullmqEvent[], raw: RawEntry[]): Map<string, Ends> {
    const ends = new Map<string, Ends>()
    const added = new Set<string>()
    const stalled = stalledIn(raw)
    for (const { id, event, jobId, fields } of entries) {
      if (event === 'added') {
        added.add(jobId)
        counted.set(jobId, { first: undefined, before: 0, after: 0 })
      }
      const isRetry = event === 'waiting'
        ? fields.prev === 'active' && !stalled.has(jobId)
        : event === 'delayed' && !added.has(jobId)
      if (isRetry) ends.set(jobId, [...ends.get(jobId) ?? [], id])
      else if (event === 'failed') ends.get(jobId)?.push(undefined)
    }
    return ends
  }
}

/** BullMQ writes `stalled` beside the `waiting` of a job whose worker is gone. */
function stalledIn (raw: RawEntry[]): Set<string> {
  return new Set(raw.flatMap(([, [name, event, , jobId]]) =>
    name === 'event' && event === 'stalled' && jobId !== undefined ? [jobId] : []))
}

function withCommand (redis: Redis): Redis & Command {
  if (!('tidingsAttemptErrors' in redis)) redis.defineCommand('tidingsAttemptErrors', { lua: LUA, readOnly: true })
  return redis as Redis & Command
}
