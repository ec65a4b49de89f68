import type { Redis } from 'ioredis'
import type { SeenEvent } from '../published-events.ts'

type Entry = { id: string, event: string, jobId: string, [field: string]: string }
/** The event to expect of an entry. */
type Expected = { ms: number, event: string, jobId: string, type: string, opens: boolean, payload: unknown }

/** The state of a job by BullMQ's own record. */
export type Standing = {
  state: string
  progress: unknown
  result: unknown
  failedReason: string | null
  startedMs: number | null
  finishedMs: number | null
  attempts: number
}

/** All entries of BullMQ of the queue `default`. */
export async function readRecord (redis: Redis): Promise<Entry[]> {
  const entries = await redis.xrange('bull:default:events', '-', '+')
  return entries.map(([id, values]) => {
    const pairs = Array.from(
      { length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]] as [string, string]
    )
    return { event: '', jobId: '', ...Object.fromEntries(pairs), id }
  })
}

const TYPES: Record<string, string> = {
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
const isFinal = (type: string | undefined) => type === 'completed' || type === 'failed'

/**
 * The events that clients must get, each with its type: an independent implementation of the relay's mapping. A
 * finished job has no events until it is reopened.
 */
function expectedEvents (record: Entry[]): Expected[] {
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

/** One line for each expected event, to be compared with `linesOf`. */
export function expectedLines (record: Entry[]): string[] {
  return expectedEvents(record).map(({ jobId, type, ms, payload }) => lineOf(jobId, type, ms, payload))
}

/** One line for each published event. */
export function linesOf (events: SeenEvent[]): string[] {
  return events.map(
    ({ jobId, type, timestamp, progress, result, error }) => lineOf(jobId, type, timestamp, progress ?? result ?? error)
  )
}

const lineOf = (jobId: string, type: string, ms: number, payload: unknown) =>
  `${jobId} ${type} ${ms} ${JSON.stringify(payload)}`

function payloadOf ({ event, data, returnvalue, failedReason }: Entry): unknown {
  switch (event) {
    case 'progress': return JSON.parse(data as string)
    case 'completed': return JSON.parse(returnvalue as string)
    case 'failed': return failedReason
    case 'removed': return 'Cancelled by user' // nothing else removes jobs here
    default: return undefined
  }
}

/** The state of each job at the end of the record. */
export function standings (record: Entry[]): Map<string, Standing> {
  const jobs = new Map<string, Standing>()
  for (const entry of expectedEvents(record)) {
    const before = jobs.get(entry.jobId) ?? newStanding()
    jobs.set(entry.jobId, { ...(entry.event === 'added' ? newStanding() : before), ...changes(entry, before) })
  }
  return jobs
}

const OPEN = { result: null, failedReason: null, finishedMs: null, startedMs: null }
const newStanding = (): Standing => ({ ...OPEN, state: 'waiting', progress: null, attempts: 0 })

function changes ({ ms, type, opens, payload }: Expected, { attempts }: Standing): Partial<Standing> {
  switch (type) {
    case 'added': return {}
    case 'progress': return { progress: payload }
    case 'active': return { state: type, startedMs: ms, attempts: attempts + 1 }
    case 'completed': return { state: type, result: payload, finishedMs: ms }
    case 'failed': return { state: type, failedReason: payload as string, finishedMs: ms }
    default: return { state: type, ...(opens && OPEN) }
  }
}
