import type { Redis } from 'ioredis'
import { createBullmqRecord, type BullmqEntry, type ExpectedType } from '@tidings/testing'
import { LARGE, REMOVED, type Value } from './values.ts'

/** An event that users must receive, in the words of the job-event stream. */
export interface Expected {
  type: ExpectedType
  /** When BullMQ wrote it, in milliseconds. */
  ms: number
  value?: Value
  /** It starts the job, or opens a finished one again. */
  opens: boolean
}

/** The events of each job, by its id, in BullMQ's order. Ids occur in one queue only. */
export type Truth = Map<string, Expected[]>

const MAX_VALUE_BYTES = 64 * 1024

/** Reads BullMQ's own streams of events, by their keys. Each call continues where the last one ended. */
export function createTruth (redis: Redis, keys: readonly string[]) {
  const records = keys.map(key => createBullmqRecord(redis, key))
  const truth: Truth = new Map()

  async function read (): Promise<Truth> {
    for (const read of records) {
      for (const { type, opens, entry } of await read()) {
        const events = truth.get(entry.jobId) ?? []
        truth.set(entry.jobId, events)
        events.push({ type, ms: entry.ms, opens, ...valueOf(entry) })
      }
    }
    return truth
  }

  return { read }
}

function valueOf ({ event, data, returnvalue, failedReason }: BullmqEntry): { value?: Value } {
  switch (event) {
    case 'progress': return { value: json(data) }
    case 'completed': return { value: json(returnvalue) }
    case 'failed': return { value: failedReason as string }
    case 'removed': return { value: REMOVED }
    default: return {}
  }
}

function json (text: unknown = 'null'): Value {
  return Buffer.byteLength(text as string) > MAX_VALUE_BYTES ? LARGE : JSON.parse(text as string) as Value
}
