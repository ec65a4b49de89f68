import { UsageError } from './failure.ts'

// Names, errors and results are other people's: their escape sequences must not reach the terminal, nor may marks that
// turn the direction of text.
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** The text on one line, with nothing in it that a terminal acts on. */
export function printable (text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').replace(UNPRINTABLE, '\ufffd')
}

/** Characters as a terminal counts most of them: an emoji is one, not two. */
export const codePoints = (text: string): string[] => Array.from(text)

/** The beginning of a text, with an ellipsis where something is left out; by code points. */
export function shortened (text: string, length: number): string {
  const points = codePoints(text.slice(0, length * 2 + 2))
  return points.length <= length ? text : `${points.slice(0, Math.max(0, length - 1)).join('')}…`
}

/** A value as one line of JSON. */
export function oneLine (value: unknown, length = 60): string {
  return value === undefined ? '' : shortened(printable(JSON.stringify(value)), length)
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A duration in its largest unit: `12s`, `3m`, `5h`, `2d`. */
export function duration (ms: number): string {
  if (ms < UNITS.s) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 10 * UNITS.s) return `${(ms / UNITS.s).toFixed(1)}s`
  if (ms < UNITS.m) return `${Math.floor(ms / UNITS.s)}s`
  if (ms < UNITS.h) return `${Math.floor(ms / UNITS.m)}m`
  if (ms < UNITS.d) return `${Math.floor(ms / UNITS.h)}h`
  return `${Math.floor(ms / UNITS.d)}d`
}

/** Milliseconds of `250ms`, `30s`, `5m`, `2h` or `7d`; undefined for anything else. */
export function parseDuration (text: string): number | undefined {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? []
  return number === undefined ? undefined : Math.round(Number(number) * UNITS[unit as keyof typeof UNITS])
}

/** A Date holds no moment that is further from 1970, in milliseconds. */
const MAX_MOMENT = 8.64e15

/** A moment in milliseconds: that of a date, or as long ago as a duration says. */
export function parseMoment (option: string, text: string, now = Date.now()): number {
  const ago = parseDuration(text)
  const ms = ago === undefined ? (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN) : now - ago
  if (Math.abs(ms) <= MAX_MOMENT) return ms
  throw new UsageError(`${option} takes a duration such as 2h, or a date such as 2026-01-31T12:00:00Z, not ${text}`)
}

/** The id of an event, as it stands. */
export function parseEventId (option: string, text: string): string {
  if (isEventId(text)) return text
  throw new UsageError(`${option} takes the id of an event, as 1640995200000-0, not ${text}`)
}

export const isEventId = (text: string): boolean => /^\d{1,15}-\d{1,15}$/.test(text)

/** Whether the event with this id came after the other one, or there is no other. */
export function isNewer (id: string, other: string | null | undefined): boolean {
  if (!other) return true
  const [ms = 0, sequence = 0] = id.split('-').map(Number)
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number)
  return ms === otherMs ? sequence > otherSequence : ms > otherMs
}

/** A moment as ISO 8601. */
export const parseIsoMoment = (option: string, text: string): string =>
  new Date(parseMoment(option, text)).toISOString()

/** An integer within bounds. */
export function parseInteger (option: string, text: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`${option} takes an integer from ${min} to ${max}, not ${text}`)
}

/** The parts of a list with commas, without empty ones. */
export function parseList (text: string): string[] {
  return text.split(',').map(part => part.trim()).filter(part => part !== '')
}
