import type { Redis } from 'ioredis'
import type { SeenEvent } from '../published-events.ts'

type Entry = { id: string, event: string, jobId: string, [field: string]: string }
/** What an entry has to tell. */
type Told = { ms: number, event: string, jobId: string, type: string, opens: boolean, payload: unknown }

/** How a job stands by BullMQ's own record. */
export type Standing = {
  state: string
  progress: unknown
  result: unknown
  failedReason: string | null
  startedMs: number | null
  finishedMs: number | null
  attempts: number
}

/** All that BullMQ wrote down of the queue `default`. */
export async function readRecord (redis: Redis): Promise<Entry[]> {
  const entries = await redis.xrange('bull:default:events', '-', '+')
  return entries.map(([id, values]) => {
    const pairs = Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]] as [string, string])
    return { event: '', jobId: '', ...Object.fromEntries(pairs), id }
  })
}

const TYPES: Record<string, string> = {
  added: 'added', waiting: 'waiting', 'waiting-children': 'waiting', delayed: 'delayed', active: 'active', progress: 'progress', completed: 'completed', failed: 'failed', removed: 'failed'
}
const isFinal = (type: string | undefined) => type === 'completed' || type === 'failed'

/**
 * The entries of which clients must be told, each under its type: an
 * independent reading of what the relay reads. A finished job tells nothing
 * until it is opened again.
 */
function toTell (record: Entry[]): Told[] {
  const final = new Set<string>()
  return record.flatMap(entry => {
    const { event, jobId, prev } = entry
    const type = TYPES[event]
    const opens = event === 'added' || (event === 'waiting' && isFinal(prev))
    if (!type || (final.has(jobId) && !opens)) return []
    if (opens) final.delete(jobId)
    if (isFinal(type)) final.add(jobId)
    return [{ ms: Number(entry.id.split('-')[0]), event, jobId, type, opens, payload: payloadOf(entry) }]
  })
}

/** One line of each entry that must be told, to be compared with `linesOf`. */
export function expectedLines (record: Entry[]): string[] {
  return toTell(record).map(({ jobId, type, ms, payload }) => lineOf(jobId, type, ms, payload))
}

/** One line of each event that was told. */
export function linesOf (events: SeenEvent[]): string[] {
  return events.map(({ jobId, type, timestamp, progress, result, error }) => lineOf(jobId, type, timestamp, progress ?? result ?? error))
}

const lineOf = (jobId: string, type: string, ms: number, payload: unknown) => `${jobId} ${type} ${ms} ${JSON.stringify(payload)}`

function payloadOf ({ event, data, returnvalue, failedReason }: Entry): unknown {
  switch (event) {
    case 'progress': return JSON.parse(data as string)
    case 'completed': return JSON.parse(returnvalue as string)
    case 'failed': return failedReason
    case 'removed': return 'Cancelled by user' // nothing else removes jobs here
    default: return undefined
  }
}

/** How each job stands at the end of the record. */
export function standings (record: Entry[]): Map<string, Standing> {
  const jobs = new Map<string, Standing>()
  for (const entry of toTell(record)) {
    const before = jobs.get(entry.jobId) ?? anew()
    jobs.set(entry.jobId, { ...(entry.event === 'added' ? anew() : before), ...changes(entry, before) })
  }
  return jobs
}

const OPEN = { result: null, failedReason: null, finishedMs: null, startedMs: null }
const anew = (): Standing => ({ ...OPEN, state: 'waiting', progress: null, attempts: 0 })

function changes ({ ms, type, opens, payload }: Told, { attempts }: Standing): Partial<Standing> {
  switch (type) {
    case 'added': return {}
    case 'progress': return { progress: payload }
    case 'active': return { state: type, startedMs: ms, attempts: attempts + 1 }
    case 'completed': return { state: type, result: payload, finishedMs: ms }
    case 'failed': return { state: type, failedReason: payload as string, finishedMs: ms }
    default: return { state: type, ...(opens && OPEN) }
  }
}
