import { MAX_ID_LENGTH } from '@tidings/contracts'
import type { RawEntry } from './bullmq-event-reader.ts'

/**
 * BullMQ's events that are relayed. Not relayed: drained, paused, resumed, cleaned, duplicated, deduplicated (alone),
 * debounced, retries-exhausted (BullMQ writes `failed` as well), stalled (BullMQ writes `waiting` as well), and events
 * that producers invent.
 */
const RELAYED_EVENTS = [
  'added', 'waiting', 'waiting-children', 'delayed', 'active', 'progress', 'completed', 'failed', 'removed'
] as const

type RelayedEvent = typeof RELAYED_EVENTS[number]

/**
 * An entry of BullMQ's event stream: all values are texts. `replaced` stands for a `removed` whose successor is known.
 */
export type BullmqEvent = {
  id: string
  event: RelayedEvent | 'replaced'
  jobId: string
  fields: Record<string, string>
}

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
 * A debounced job that another one replaces is `removed` as well; the next entry, which the same script writes, names
 * the successor.
 */
function replacedOr (removed: BullmqEvent, raw: RawEntry[], i: number): BullmqEvent {
  const next = fieldsOf(raw[i + 1])
  const { event, jobId, deduplicatedJobId } = next.event === 'debounced' ? fieldsOf(raw[i + 2]) : next
  if (event !== 'deduplicated' || jobId === undefined || deduplicatedJobId !== removed.jobId) return removed
  return { ...removed, event: 'replaced', fields: { by: jobId } }
}

/** Parses an entry; undefined if it is not relayed. @throws MalformedEntry */
function parseEntry (entry: RawEntry): BullmqEvent | undefined {
  const [id] = entry
  const fields = fieldsOf(entry)
  const { event, jobId } = fields
  if (event === undefined) throw new MalformedEntry(id, 'it has no event')
  if (!isRelayed(event)) return undefined
  if (!jobId || jobId.length > MAX_ID_LENGTH || jobId.includes('\0')) {
    throw new MalformedEntry(id, 'it has no job id, or one that cannot be stored', { jobId })
  }
  return { id, event, jobId, fields }
}

const relayed = new Set<string>(RELAYED_EVENTS)

function isRelayed (event: string): event is RelayedEvent {
  return relayed.has(event)
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
