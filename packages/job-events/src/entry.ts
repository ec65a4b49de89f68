import { JOB_EVENT_VERSION, type JobEvent, type ToldJobEvent } from '@tidings/contracts'
import { eventIdOf, formatEventId, type EventId } from './event-id.ts'

/** An entry as it was read: whose it is can be seen without parsing the rest. */
export type Entry = { id: EventId, owner: string, payload: string }

/** An event of a version that this reader does not know. It is never skipped: the reader stops. */
export class UnsupportedJobEvent extends Error {
  constructor (id: EventId, version: unknown) {
    super(`Job event ${formatEventId(id)} has version ${String(version)}, this reader knows ${JOB_EVENT_VERSION}: deploy a newer one`)
    this.name = 'UnsupportedJobEvent'
  }
}

/** An entry that no relay of ours wrote. */
export class MalformedJobEvent extends Error {
  constructor (id: EventId, options?: ErrorOptions) {
    super(`Job event ${formatEventId(id)} is malformed`, options)
    this.name = 'MalformedJobEvent'
  }
}

/** @throws UnsupportedJobEvent | MalformedJobEvent */
export function decode ({ id, owner, payload }: Entry): ToldJobEvent {
  const event = parse(id, payload)
  if (event.v > JOB_EVENT_VERSION) throw new UnsupportedJobEvent(id, event.v)
  if (event.userId !== owner || typeof event.jobId !== 'string' || typeof event.type !== 'string') throw new MalformedJobEvent(id)
  return { ...event, eventId: formatEventId(id) }
}

/** Decodes a batch; malformed entries are handed to `onMalformed` and stepped over. */
export function decodeAll (entries: Entry[], onMalformed: (err: MalformedJobEvent) => void): ToldJobEvent[] {
  return entries.flatMap(entry => {
    try {
      return [decode(entry)]
    } catch (err) {
      if (!(err instanceof MalformedJobEvent)) throw err
      onMalformed(err)
      return []
    }
  })
}

/** An entry of Redis' reply: `[id, [field, value, …]]`. A history's entries have no `u`: their owner is known. */
export function entryOf ([id, fields]: [string, string[]], owner?: string): Entry {
  return { id: eventIdOf(id), owner: owner ?? valueOf(fields, 'u'), payload: valueOf(fields, 'd') }
}

function valueOf (fields: string[], name: string): string {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] ?? ''
  return ''
}

function parse (id: EventId, payload: string): JobEvent {
  try {
    const event = JSON.parse(payload) as JobEvent | null
    if (typeof event?.v === 'number') return event
  } catch (cause) {
    throw new MalformedJobEvent(id, { cause })
  }
  throw new MalformedJobEvent(id)
}
