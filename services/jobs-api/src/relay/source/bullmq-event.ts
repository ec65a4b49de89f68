import { MAX_ID_LENGTH } from '@tidings/contracts'
import type { RawEntry } from './bullmq-event-reader.ts'

/** An entry of BullMQ's event stream: all values are texts. */
export type BullmqEvent = { id: string, event: string, jobId: string, fields: Record<string, string> }

/** An entry that BullMQ did not write, or that a worker filled with invalid values. It is skipped. */
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
 * BullMQ's events that are relayed. Not relayed: drained, paused, resumed, cleaned, duplicated, deduplicated (alone),
 * debounced, retries-exhausted (`failed` covers it), stalled (`waiting` covers it), and events that producers invent.
 */
const RELAYED_EVENTS = new Set([
  'added', 'waiting', 'waiting-children', 'delayed', 'active', 'progress', 'completed', 'failed', 'removed'
])

/** Parses a batch; entries that are not relayed are left out, malformed ones are passed to `onMalformed`. */
export function parseEntries (raw: RawEntry[], onMalformed: (err: MalformedEntry) => void): BullmqEvent[] {
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

/**
 * A debounced job that another one replaces is `removed` as well; the next entry, which the same script writes, names the
 * successor.
 */
function replacedOr (removed: BullmqEvent, raw: RawEntry[], i: number): BullmqEvent {
  const next = fieldsOf(raw[i + 1])
  const { event, jobId, deduplicatedJobId } = next.event === 'debounced' ? fieldsOf(raw[i + 2]) : next
  if (event !== 'deduplicated' || jobId === undefined || deduplicatedJobId !== removed.jobId) return removed
  return { ...removed, event: 'replaced', fields: { by: jobId } }
}

/** Parses an entry; undefined if it is not relayed. @throws MalformedEntry */
export function parseEntry (entry: RawEntry): BullmqEvent | undefined {
  const [id] = entry
  const fields = fieldsOf(entry)
  const { event, jobId } = fields
  if (event === undefined) throw new MalformedEntry(id, 'it has no event')
  if (!RELAYED_EVENTS.has(event)) return undefined
  if (!jobId || jobId.length > MAX_ID_LENGTH || jobId.includes('\0')) {
    throw new MalformedEntry(id, 'it has no job id, or one that cannot be stored', { jobId })
  }
  return { id, event, jobId, fields }
}

function fieldsOf ([, values]: RawEntry = ['', []]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let i = 0; i + 1 < values.length; i += 2) fields[values[i] as string] = values[i + 1] as string
  return fields
}

/** Whether BullMQ removed jobs here without naming them. */
export function isBulkRemoval ([, values]: RawEntry): boolean {
  return values[0] === 'event' && values[1] === 'cleaned'
}
