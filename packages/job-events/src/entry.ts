import { JOB_EVENT_TYPES, JOB_EVENT_VERSION, jsonText, type JobEvent, type JsonText, type PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf, formatEventId, parseEventId, type EventId } from './event-id.ts'

const TYPES = new Set<string>(JOB_EVENT_TYPES)

/** An entry as it was read: whose it is can be seen without parsing the rest. */
export type Entry = {
  id: EventId
  owner: string
  payload: string
  /** The id under which the same end of the job was told before; whoever has told that leaves this one out. */
  repeats?: EventId | undefined
}

/** An event of a version that this reader does not know. It is never skipped: the reader halts until it is gone. */
export class UnsupportedJobEvent extends Error {
  readonly eventId: EventId

  constructor (id: EventId, version: unknown) {
    super(`Job event ${formatEventId(id)} has version ${String(version)}, this reader knows ${JOB_EVENT_VERSION}: deploy a newer one`)
    this.name = 'UnsupportedJobEvent'
    this.eventId = id
  }
}

/** An entry that no relay of ours wrote. */
export class MalformedJobEvent extends Error {
  readonly eventId: EventId

  constructor (id: EventId, why: string, options?: ErrorOptions) {
    super(`Job event ${formatEventId(id)} is malformed: ${why}`, options)
    this.name = 'MalformedJobEvent'
    this.eventId = id
  }
}

/** @throws UnsupportedJobEvent | MalformedJobEvent */
export function decode ({ id, owner, payload, repeats }: Entry): PublishedJobEvent {
  const event = parse(id, payload)
  if (event.v > JOB_EVENT_VERSION) throw new UnsupportedJobEvent(id, event.v)
  const fault = event.userId === owner ? faultOf(event) : 'its owner is not the user that it names'
  if (fault !== undefined) throw new MalformedJobEvent(id, fault)
  return { ...event, eventId: formatEventId(id), ...(repeats && { repeats: formatEventId(repeats) }) }
}

/** Decodes a batch; malformed entries are handed to `onMalformed` and stepped over. */
export function decodeAll (entries: Entry[], onMalformed: (err: MalformedJobEvent, entry: Entry) => void): PublishedJobEvent[] {
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

/** An entry of Redis' reply: `[id, [field, value, …]]`. A history's entries have no `u`: their owner is known. */
export function entryOf ([id, fields]: [string, string[]], owner?: string): Entry {
  const entry = { id: eventIdOf(id), owner: owner ?? valueOf(fields, 'u'), payload: valueOf(fields, 'd') }
  const usual = owner === undefined ? 4 : 2
  return fields.length > usual ? { ...entry, repeats: parseEventId(valueOf(fields, 'r')) } : entry
}

function valueOf (fields: string[], name: string): string {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] ?? ''
  return ''
}

/**
 * An event as an entry holds it. The worker's own JSON stands last, as it is,
 * behind a member that says so: a reader finds it without parsing it.
 */
export function encode (event: JobEvent): string {
  const { progress, result } = event
  if (progress === undefined && result === undefined) return JSON.stringify(event)
  const [name, value] = progress === undefined ? ['result', result] : ['progress', progress]
  const head = { ...event, progress: undefined, result: undefined } // `...rest` costs three times as much
  return `${JSON.stringify(head).slice(0, -1)},"raw":true,"${name}":${value}}`
}

/** Within a JSON text a bare quote never follows a comma, so the first of these is no part of a name or an id. */
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

/** What every reader relies on. Anybody who reaches Redis can add an entry, and one must not stop them all. */
function faultOf ({ type, queue, jobId, name, timestamp, generation }: JobEvent): string | undefined {
  if (!TYPES.has(type)) return 'its type is unknown'
  if (typeof queue !== 'string' || typeof name !== 'string' || typeof jobId !== 'string' || jobId === '') return 'it names no job'
  if (!queue.isWellFormed() || !jobId.isWellFormed()) return 'its job has no well-formed id' // Postgres would hold another one
  if (!Number.isSafeInteger(timestamp)) return 'its timestamp is no time'
  if (generation !== undefined && (typeof generation !== 'string' || !parseEventId(generation))) return 'its generation is no id'
  return undefined
}

function withRaw (payload: string, { 0: marker, 1: name, index }: RegExpExecArray): JobEvent {
  const event = JSON.parse(`${payload.slice(0, index)}}`) as JobEvent
  const value = payload.slice(index + marker.length, -1)
  if (value === '' || !payload.endsWith('}')) throw new SyntaxError('The value has no end')
  event[name as 'progress' | 'result'] = value as JsonText
  return event
}

/** An entry of an older release, or of somebody else: what it holds must be JSON. */
function parseWhole (payload: string): JobEvent | null {
  const event = JSON.parse(payload) as Record<string, unknown> | null
  for (const name of ['progress', 'result']) if (event && Object.hasOwn(event, name)) event[name] = jsonText(event[name])
  return event as JobEvent | null
}
