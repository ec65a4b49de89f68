import type { Redis } from 'ioredis'
import { createBullmqRecord, type BullmqEntry } from '@tidings/testing'
import type { SeenEvent } from '../published-events.ts'

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

/** What BullMQ recorded in the queue `default`, as the events that clients must get. */
export async function readRecord (redis: Redis): Promise<Expected[]> {
  const events = await createBullmqRecord(redis, 'bull:default:events')()
  return events.map(({ type, opens, entry }) => ({
    ms: entry.ms, event: entry.event, jobId: entry.jobId, type, opens, payload: payloadOf(entry)
  }))
}

/** One line for each expected event, to be compared with `linesOf`. */
export function expectedLines (record: Expected[]): string[] {
  return record.map(({ jobId, type, ms, payload }) => lineOf(jobId, type, ms, payload))
}

/** One line for each published event. */
export function linesOf (events: SeenEvent[]): string[] {
  return events.map(
    ({ jobId, type, timestamp, progress, result, error }) => lineOf(jobId, type, timestamp, progress ?? result ?? error)
  )
}

const lineOf = (jobId: string, type: string, ms: number, payload: unknown) =>
  `${jobId} ${type} ${ms} ${JSON.stringify(payload)}`

function payloadOf ({ event, data, returnvalue, failedReason }: BullmqEntry): unknown {
  switch (event) {
    case 'progress': return JSON.parse(data as string)
    case 'completed': return JSON.parse(returnvalue as string)
    case 'failed': return failedReason
    case 'removed': return 'Cancelled by user' // nothing else removes jobs here
    default: return undefined
  }
}

/** The state of each job at the end of the record. */
export function standings (record: Expected[]): Map<string, Standing> {
  const jobs = new Map<string, Standing>()
  for (const entry of record) {
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
