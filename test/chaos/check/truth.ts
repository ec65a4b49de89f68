import type { Redis } from 'ioredis'
import { LARGE, REMOVED, type Value } from './values.ts'

/** An event that users must receive, in the words of the job-event stream. */
export interface Expected {
  type: 'added' | 'waiting' | 'delayed' | 'active' | 'progress' | 'completed' | 'failed'
  /** When BullMQ wrote it, in milliseconds. */
  ms: number
  value?: Value
  /** It starts the job, or opens a finished one again. */
  opens: boolean
}

/** The events of each job, by its id, in BullMQ's order. Ids occur in one queue only. */
export type Truth = Map<string, Expected[]>

type Entry = Record<string, string> & { id: string }
const MAX_VALUE_BYTES = 64 * 1024
const TYPES: Partial<Record<string, Expected['type']>> = {
  added: 'added',
  waiting: 'waiting',
  'waiting-children': 'waiting',
  delayed: 'delayed',
  active: 'active',
  progress: 'progress',
  completed: 'completed',
  failed: 'failed',
  removed: 'failed'
}

/**
 * Reads BullMQ's own streams of events, by their keys, and maps their entries to the events that users must receive: an
 * independent implementation of the relay's mapping. Each call continues where the last one ended.
 */
export function createTruth (redis: Redis, keys: readonly string[]) {
  const positions = new Map<string, string>(keys.map(key => [key, '-']))
  const truth: Truth = new Map()

  async function read (): Promise<Truth> {
    for (const key of keys) {
      for (let entries = await page(key); entries.length > 0; entries = await page(key)) {
        for (const entry of entries) take(entry)
        positions.set(key, `(${(entries.at(-1) as Entry).id}`)
      }
    }
    return truth
  }

  async function page (key: string): Promise<Entry[]> {
    const entries = await redis.xrange(key, positions.get(key) as string, '+', 'COUNT', 1000)
    return entries.map(([id, fields]) => {
      const entry: Record<string, string> = {}
      for (let i = 0; i < fields.length; i += 2) entry[fields[i] as string] = fields[i + 1] as string
      return { ...entry, id }
    })
  }

  function take (entry: Entry): void {
    const { event = '', jobId, prev = '', id } = entry
    const type = TYPES[event]
    if (type === undefined || jobId === undefined) return
    const events = truth.get(jobId) ?? []
    const opens = event === 'added' || (event === 'waiting' && isFinal(prev))
    const hasEnded = isFinal(events.at(-1)?.type)
    if (hasEnded && !opens) return // nothing follows the end of a job until it is opened again
    truth.set(jobId, events)
    events.push({ type, ms: Number(id.split('-')[0]), opens, ...valueOf(entry) })
  }

  return { read }
}

const isFinal = (state: string | undefined) => state === 'completed' || state === 'failed'

function valueOf ({ event, data, returnvalue, failedReason }: Entry): { value?: Value } {
  switch (event) {
    case 'progress': return { value: json(data) }
    case 'completed': return { value: json(returnvalue) }
    case 'failed': return { value: failedReason }
    case 'removed': return { value: REMOVED }
    default: return {}
  }
}

function json (text = 'null'): Value {
  return Buffer.byteLength(text) > MAX_VALUE_BYTES ? LARGE : JSON.parse(text) as Value
}
