/**
 * The id of a job event: Redis' stream id as its two integers. Ids are compared as integers; as texts "9-0" would be
 * newer than "10-0".
 */
export type EventId = { readonly ms: number, readonly seq: number }

export const ZERO: EventId = { ms: 0, seq: 0 }

const FORM = /^\d{1,16}-\d{1,16}$/

/** Reads `<ms>-<seq>`; undefined where the text is not an id or a part is not a safe integer. */
export function parseEventId (text: string): EventId | undefined {
  return FORM.test(text) ? read(text) : undefined
}

/** Reads an id that Redis wrote, without the regular expression: every entry of the stream has one. */
export function eventIdOf (text: string): EventId {
  const id = read(text)
  if (!id) throw new TypeError(`Not an event id: ${text}`)
  return id
}

function read (text: string): EventId | undefined {
  const dash = text.indexOf('-')
  const id = { ms: Number(text.slice(0, dash)), seq: Number(text.slice(dash + 1)) }
  const hasParts = dash > 0 && dash < text.length - 1
  return hasParts && Number.isSafeInteger(id.ms) && Number.isSafeInteger(id.seq) && id.seq >= 0 ? id : undefined
}

export function formatEventId ({ ms, seq }: EventId): string {
  return `${ms}-${seq}`
}

/** Below 0 where a is older, above 0 where it is newer, 0 where they are equal. */
export function compareEventIds (a: EventId, b: EventId): number {
  return a.ms - b.ms || a.seq - b.seq
}

export function isNewer (a: EventId, b: EventId): boolean {
  return compareEventIds(a, b) > 0
}

export function newest (a: EventId, b: EventId): EventId {
  return isNewer(a, b) ? a : b
}

/** The highest id below another: a read after it starts with the other. */
export function justBelow ({ ms, seq }: EventId): EventId {
  return seq > 0 ? { ms, seq: seq - 1 } : { ms: ms - 1, seq: Number.MAX_SAFE_INTEGER }
}
