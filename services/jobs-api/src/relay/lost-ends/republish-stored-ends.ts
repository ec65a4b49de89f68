import type { JobEvent, JobWebhookEventType } from '@tidings/contracts'
import { formatEventId, type EventId, type StreamWriter } from '@tidings/job-events'
import { stateOf } from '../../db/state-code.ts'
import { mapEvent } from '../mapping/map-event.ts'
import { ownWebhookOf } from '../ownership/find-owners.ts'

/** Results and errors of one append; a result has up to 64 KiB. */
const MAX_BYTES = 8 * 1024 * 1024

/** The row of a job that has ended. */
export type EndedRow = {
  n: number
  queue: string
  id: string
  user_id: string
  name: string
  state: number
  generation_ms: number
  generation_seq: number
  created_ms: number
  attempts_max: number
  slot: string | null
  webhook_url: string | null
  webhook_event_type: JobWebhookEventType | null
  result: string | null
  result_truncated: boolean
  failed_reason: string | null
  finished_ms: number
  event_ms: number
  event_seq: number
}

export const END_COLUMNS = `
  n, queue, id, user_id, name, state, generation_ms, generation_seq, created_ms, attempts_max, slot, webhook_url,
  webhook_event_type, result::text as result, result_truncated, failed_reason, finished_ms, event_ms, event_seq`

type Context = {
  /** The queue of the relay that publishes; the ends may be of others. */
  queue: string
  stream: StreamWriter
  minimumId: EventId
}

/**
 * Publishes ends again that Redis has lost and Postgres has, each with the id of its first publication: the projection
 * may have read one just before the loss, and the webhooks not. The first batch is what the restored stream continues
 * with, so that no consumer has gone past an end when it comes again, whatever queue it is of. Returns the last id.
 */
export async function republishStoredEnds (rows: EndedRow[], { queue, stream, minimumId }: Context): Promise<EventId> {
  const ends = new Map(rows.map(row => [endOf(row), row]))
  const repeated = (event: JobEvent) => {
    const row = ends.get(event)
    return row && { id: idOf(row), at: event.timestamp }
  }
  let last = minimumId
  for (const events of batches([...ends.keys()])) {
    const position = await stream.position(queue)
    const outcome = await stream.append({ queue, from: position, to: position, events, repeated, minimumId: last })
    if (!outcome.moved) throw new Error(`Queue ${queue} is relayed by another replica`)
    last = outcome.last
  }
  return last
}

function batches (events: JobEvent[]): JobEvent[][] {
  const all: JobEvent[][] = []
  let bytes = Infinity
  for (const event of events) {
    const size = (event.result?.length ?? 0) + (event.error?.length ?? 0)
    if (bytes + size > MAX_BYTES) {
      all.push([])
      bytes = 0
    }
    all.at(-1)?.push(event)
    bytes += size
  }
  return all
}

function idOf ({ event_ms: ms, event_seq: seq }: EndedRow): EventId {
  return { ms, seq }
}

/** The event as it was published, as far as the row has it. */
function endOf (row: EndedRow): JobEvent {
  const { queue, generation_ms: ms, generation_seq: seq } = row
  const owner = {
    userId: row.user_id,
    name: row.name,
    created: row.created_ms,
    attempts: row.attempts_max,
    ...(ms > 0 && { generation: formatEventId({ ms, seq }) }),
    ...(row.slot !== null && { slot: row.slot }),
    ...ownWebhookOf(row)
  }
  const fields = { returnvalue: row.result ?? 'null', failedReason: row.failed_reason ?? '' }
  const event = stateOf(row.state) as 'completed' | 'failed'
  const entry = { id: formatEventId({ ms: row.finished_ms, seq: 0 }), event, jobId: row.id, fields }
  const mapped = mapEvent(entry, { queue, owner, isCancelled: false })?.event as JobEvent
  return { ...(row.result_truncated ? truncated(mapped) : mapped), reconciled: true }
}

/** The whole value is beside the row, or was too large to keep. */
function truncated ({ result: _result, ...event }: JobEvent): JobEvent {
  return event.type === 'failed' ? { ...event, errorTruncated: true } : { ...event, resultTruncated: true }
}
