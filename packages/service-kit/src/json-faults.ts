import type { InputFault } from './invalid-input.ts'

/** Maximum number of reported faults. */
const MAX_FAULTS = 20
const MAX_SHOWN = 40

/** A text without an escaped surrogate, a long number or a large exponent has no such fault. */
const SUSPICIOUS = /\\u[dD][89a-fA-F]|[:,[\s]-?\d{16}|\d[eE][+-]?\d{3}/
const INTEGER = /^-?\d+$/
const NOT_ZERO = /^[^eE]*[1-9]/

/** An object or array around the current character; `key` is the position in it. */
type Place = { key: string | number, isObject: boolean, expectsKey: boolean }

/**
 * Values of a valid JSON text that JavaScript cannot represent: numbers that would change, and strings that are not
 * well-formed Unicode, which other languages refuse to write. One pass, and only over a text that may have such values.
 */
export function jsonFaults (text: string): InputFault[] {
  return SUSPICIOUS.test(text) ? scan(text) : []
}

function scan (text: string): InputFault[] {
  const faults: InputFault[] = []
  const places: Place[] = []
  for (let i = 0; i < text.length && faults.length < MAX_FAULTS; i++) {
    const place = places.at(-1)
    switch (text[i]) {
      case '{': places.push({ key: '', isObject: true, expectsKey: true }); break
      case '[': places.push({ key: 0, isObject: false, expectsKey: false }); break
      case '}': case ']': places.pop(); break
      case ',': if (place) next(place); break
      case '"': {
        const end = endOfString(text, i)
        readString(text.slice(i, end + 1), place)
        i = end
        break
      }
      case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': {
        const token = numberAt(text, i)
        if (changes(token)) add(`is a number that would change (${token.slice(0, MAX_SHOWN)}): send it as a string`)
        i += token.length - 1
        break
      }
    }
  }
  return faults

  function readString (token: string, place: Place | undefined) {
    const value = token.includes('\\u') ? JSON.parse(token) as string : token
    if (!value.isWellFormed()) add('is not well-formed Unicode (a lone surrogate)')
    if (!place?.expectsKey) return
    place.key = token.includes('\\') ? (JSON.parse(token) as string).toWellFormed() : token.slice(1, -1)
    place.expectsKey = false
  }

  function add (message: string) {
    faults.push(
      { path: ['body', ...places.filter(({ expectsKey }) => !expectsKey).map(({ key }) => key)].join('.'), message }
    )
  }
}

function next (place: Place) {
  if (place.isObject) place.expectsKey = true
  else (place.key as number)++
}

/** Whether parsing changes a number: it is too large, becomes zero, or is an integer that loses digits. */
function changes (token: string): boolean {
  const value = Number(token)
  if (!Number.isFinite(value)) return true
  if (value === 0) return NOT_ZERO.test(token)
  return !Number.isSafeInteger(value) && INTEGER.test(token) && BigInt(token) !== BigInt(value)
}

const NUMBER = /[-+.\deE]+/y

function numberAt (text: string, at: number): string {
  NUMBER.lastIndex = at
  return NUMBER.exec(text)?.[0] ?? ''
}

function endOfString (text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped (text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}
