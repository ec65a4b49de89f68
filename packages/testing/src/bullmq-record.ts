import type { Redis } from 'ioredis'

/** An entry of BullMQ's stream of events. */
export interface BullmqEntry {
  id: string
  /** When BullMQ wrote it, in milliseconds. */
  ms: number
  event: string
  jobId: string
  [field: string]: string | number
}

export type ExpectedType = 'added' | 'waiting' | 'delayed' | 'active' | 'progress' | 'completed' | 'failed'

/** An event that users must receive, by the entry that it is made of. */
export interface ExpectedEvent {
  type: ExpectedType
  /** It starts the job, or opens a finished one again. */
  opens: boolean
  entry: BullmqEntry
}

const PAGE = 1000
const TYPES: Partial<Record<string, ExpectedType>> = {
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
 * Reads BullMQ's stream of events under a key, and maps its entries to the events that users must receive: an
 * independent implementation of the relay's mapping. A finished job has no events until it is opened again. Each call
 * continues where the last one ended.
 */
export function createBullmqRecord (redis: Redis, key: string): () => Promise<ExpectedEvent[]> {
  const ended = new Set<string>()
  let after = '-'

  async function page (): Promise<BullmqEntry[]> {
    const entries = (await redis.xrange(key, after, '+', 'COUNT', PAGE)).map(toEntry)
    const last = entries.at(-1)
    if (last !== undefined) after = `(${last.id}`
    return entries
  }

  function expect (entry: BullmqEntry): ExpectedEvent[] {
    const { event, jobId, prev } = entry
    const type = TYPES[event]
    const opens = event === 'added' || (event === 'waiting' && isFinal(prev))
    if (type === undefined || (ended.has(jobId) && !opens)) return []
    if (opens) ended.delete(jobId)
    if (isFinal(type)) ended.add(jobId)
    return [{ type, opens, entry }]
  }

  return async () => {
    const events: ExpectedEvent[] = []
    for (let entries = await page(); entries.length > 0; entries = await page()) events.push(...entries.flatMap(expect))
    return events
  }
}

const isFinal = (state: unknown) => state === 'completed' || state === 'failed'

function toEntry ([id, values]: [string, string[]]): BullmqEntry {
  const fields: Record<string, string> = {}
  for (let i = 0; i < values.length; i += 2) fields[values[i] as string] = values[i + 1] as string
  return { event: '', jobId: '', ...fields, id, ms: Number(id.split('-')[0]) }
}
