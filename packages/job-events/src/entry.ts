import {
  JOB_EVENT_TYPES, JOB_EVENT_VERSION, jsonText, type JobEvent, type JsonText, type PublishedJobEvent
} from '@tidings/contracts'
import { eventIdOf, formatEventId, parseEventId, type EventId } from './event-id.ts'

/** In place of the first id of an end that may have been published before (append.lua). */
export const UNKNOWN_ID = '?'

const TYPES = new Set<string>(JOB_EVENT_TYPES)

/** An entry as Redis returns it: its owner is known without parsing the payload. */
export type Entry = {
  id: EventId
  owner: string
  payload: string
  /** The id under which the same end of the job was published before: channels that have delivered it skip this one. */
  repeats?: EventId | undefined
  /** Whether the same end may have been published before, under an id that is not known (`RecentReads` may know it). */
  mayRepeat?: true
}

/** An event of a version that this reader does not know. Never skipped: the reader halts until the event is gone. */
export class UnsupportedJobEvent extends Error {
  readonly eventId: EventId

  constructor (id: EventId, version: unknown) {
    super(`Job event ${formatEventId(id)} has version ${String(version)}, this reader knows ${JOB_EVENT_VERSION}: ` +
      'deploy a newer one')
    this.name = 'UnsupportedJobEvent'
    this.eventId = id
  }
}

/** An entry that was not written by a relay of Tidings. */
export class MalformedJobEvent extends Error {
  readonly eventId: EventId

  constructor (id: EventId, why: string, options?: ErrorOptions) {
    super(`Job event ${formatEventId(id)} is malformed: ${why}`, options)
    this.name = 'MalformedJobEvent'
    this.eventId = id
  }
}

/** @throws UnsupportedJobEvent | MalformedJobEvent */
export function decode ({ id, owner, payload, repeats, mayRepeat }: Entry): PublishedJobEvent {
  const event = parse(id, payload)
  if (event.v > JOB_EVENT_VERSION) throw new UnsupportedJobEvent(id, event.v)
  const fault = event.userId === owner ? faultOf(event) : 'its owner is not the user in its payload'
  if (fault !== undefined) throw new MalformedJobEvent(id, fault)
  return {
    ...event,
    eventId: formatEventId(id),
    ...(repeats && { repeats: formatEventId(repeats) }),
    ...(mayRepeat && { mayRepeat })
  }
}

/** Decodes a batch; malformed entries are passed to `onMalformed` and skipped. */
export function decodeAll (
  entries: Entry[], onMalformed: (err: MalformedJobEvent, entry: Entry) => void
): PublishedJobEvent[] {
  return entries.flatMap(entry => {
    try {
      return [decode(entry)]
    } catch (err) {
      if (!(err instanceof MalformedJobEvent)) throw err
      onMalformed(err, entry)
      return []
    }
  })
}

/** An entry of Redis' reply, `[id, [field, value, …]]`. Entries of a history have no `u`: their owner is known. */
export function entryOf ([id, fields]: [string, string[]], owner?: string): Entry {
  const entry = { id: eventIdOf(id), owner: owner ?? valueOf(fields, 'u'), payload: valueOf(fields, 'd') }
  const usual = owner === undefined ? 4 : 2
  if (fields.length === usual) return entry
  const repeats = valueOf(fields, 'r')
  return repeats === UNKNOWN_ID ? { ...entry, mayRepeat: true } : { ...entry, repeats: parseEventId(repeats) }
}

function valueOf (fields: string[], name: string): string {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] ?? ''
  return ''
}

/**
 * The payload of an event's entry. The worker's own JSON comes last, unchanged, behind the member `raw`, which marks
 * it: a reader finds it without parsing it.
 */
export function encode (event: JobEvent): string {
  const { progress, result } = event
  if (progress === undefined && result === undefined) return JSON.stringify(event)
  const [name, value] = progress === undefined ? ['result', result] : ['progress', progress]
  const head = { ...event, progress: undefined, result: undefined } // `...rest` costs three times as much
  return `${JSON.stringify(head).slice(0, -1)},"raw":true,"${name}":${value}}`
}

/** Within a JSON text a bare quote never follows a comma, so the first match is not part of a name or an id. */
const RAW = /,"raw":true,"(progress|result)":/

function parse (id: EventId, payload: string): JobEvent {
  try {
    const found = RAW.exec(payload)
    const event = found ? withRaw(payload, found) : parseWhole(payload)
    if (event && Number.isSafeInteger(event.v) && event.v > 0) return event
  } catch (cause) {
    throw new MalformedJobEvent(id, 'it is not JSON', { cause })
  }
  throw new MalformedJobEvent(id, 'it has no version')
}

/** Checks the fields that all readers rely on: anyone with access to Redis can add an entry, which must stop none. */
function faultOf ({ type, queue, jobId, name, timestamp, generation }: JobEvent): string | undefined {
  if (!TYPES.has(type)) return 'its type is unknown'
  if (typeof queue !== 'string' || typeof name !== 'string') return 'it names no job'
  if (typeof jobId !== 'string' || jobId === '') return 'it names no job'
  // Postgres would store another id.
  if (!queue.isWellFormed() || !jobId.isWellFormed()) return 'its job has no well-formed id'
  if (!Number.isSafeInteger(timestamp)) return 'its timestamp is not a time'
  if (generation === undefined) return undefined
  return typeof generation !== 'string' || !parseEventId(generation) ? 'its generation is not an id' : undefined
}

function withRaw (payload: string, { 0: marker, 1: name, index }: RegExpExecArray): JobEvent {
  const event = JSON.parse(`${payload.slice(0, index)}}`) as JobEvent
  const value = payload.slice(index + marker.length, -1)
  if (value === '' || !payload.endsWith('}')) throw new SyntaxError('The value has no end')
  event[name as 'progress' | 'result'] = value as JsonText
  return event
}

/** An entry of an older release, or one that Tidings did not write: the whole payload must be JSON. */
function parseWhole (payload: string): JobEvent | null {
  const event = JSON.parse(payload) as Record<string, unknown> | null
  for (const name of ['progress', 'result']) {
    if (event && Object.hasOwn(event, name)) event[name] = jsonText(event[name])
  }
  return event as JobEvent | null
}
