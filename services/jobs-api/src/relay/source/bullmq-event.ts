import { MAX_ID_LENGTH } from '@tidings/contracts'
import type { RawEntry } from './bullmq-event-reader.ts'

/** An entry of BullMQ's events as it stands there: all values are texts. */
export type QueueEvent = { id: string, event: string, jobId: string, fields: Record<string, string> }

/** An entry that BullMQ did not write, or a worker filled with what is no JSON. Stepped over. */
export class MalformedEntry extends Error {
  readonly entryId: string
  readonly jobId: string | undefined

  constructor (id: string, why: string, { jobId, ...options }: ErrorOptions & { jobId?: string | undefined } = {}) {
    super(`Entry ${id} is malformed: ${why}`, options)
    this.name = 'MalformedEntry'
    this.entryId = id
    this.jobId = jobId
  }
}

/**
 * The events of which clients are told. Not among them: drained, paused,
 * resumed, cleaned, duplicated, deduplicated (alone), debounced, retries-exhausted
 * (`failed` says it), stalled (`waiting` says it), and whatever producers invent.
 */
const TOLD = new Set(['added', 'waiting', 'waiting-children', 'delayed', 'active', 'progress', 'completed', 'failed', 'removed'])

/** Reads a batch; entries of which nobody is told are left out, malformed ones handed to `onMalformed`. */
export function parseEntries (raw: RawEntry[], onMalformed: (err: MalformedEntry) => void): QueueEvent[] {
  return raw.flatMap((entry, i) => {
    try {
      const event = parseEntry(entry)
      return event === undefined ? [] : [event.event === 'removed' ? replacedOr(event, raw, i) : event]
    } catch (err) {
      if (!(err instanceof MalformedEntry)) throw err
      onMalformed(err)
      return []
    }
  })
}

/** A debounced job that another one replaced is `removed` as well; the entry behind it, of the same script, names the successor. */
function replacedOr (removed: QueueEvent, raw: RawEntry[], i: number): QueueEvent {
  const next = fieldsOf(raw[i + 1])
  const { event, jobId, deduplicatedJobId } = next.event === 'debounced' ? fieldsOf(raw[i + 2]) : next
  if (event !== 'deduplicated' || jobId === undefined || deduplicatedJobId !== removed.jobId) return removed
  return { ...removed, event: 'replaced', fields: { by: jobId } }
}

/** Reads an entry; undefined where nobody is told of it. @throws MalformedEntry */
export function parseEntry (entry: RawEntry): QueueEvent | undefined {
  const [id] = entry
  const fields = fieldsOf(entry)
  const { event, jobId } = fields
  if (event === undefined) throw new MalformedEntry(id, 'it names no event')
  if (!TOLD.has(event)) return undefined
  if (!jobId || jobId.length > MAX_ID_LENGTH || jobId.includes('\0')) throw new MalformedEntry(id, 'it names no job, or one whose id is not fit to store', { jobId })
  return { id, event, jobId, fields }
}

function fieldsOf ([, values]: RawEntry = ['', []]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let i = 0; i + 1 < values.length; i += 2) fields[values[i] as string] = values[i + 1] as string
  return fields
}

/** Whether BullMQ removed jobs here without naming them. */
export function isCleaning ([, values]: RawEntry): boolean {
  return values[0] === 'event' && values[1] === 'cleaned'
}
