import { jsonText, type JsonText } from '@tidings/contracts'

/** Common clients cannot read deeper values (Python stops at 1,000 levels, .NET at 64), and Postgres refuses some. */
const MAX_DEPTH = 1000

const LINE_BREAKS = /[\r\n]+/g

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const [OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Converts a worker's progress or result to JSON. Valid JSON keeps its text; other text (`NaN` of a Python worker)
 * becomes a JSON string, an empty text null. Line breaks between tokens become spaces, since they have a meaning in an
 * event stream.
 */
export function jsonValue (text: string | undefined): JsonText {
  if (text === undefined || text === '') return jsonText(null)
  if (!isJson(text)) return jsonText(text)
  return text.replace(LINE_BREAKS, ' ') as JsonText
}

function isJson (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Whether a value is nested deeper than 1,000 levels; it is then reported as too large. */
export function isTooDeep (json: JsonText): boolean {
  let depth = 0
  for (let i = 0; i < json.length && depth <= MAX_DEPTH && json.length - i > MAX_DEPTH - depth; i++) {
    switch (json.charCodeAt(i)) {
      case QUOTE: i = endOfString(json, i); break
      case OPENING_BRACKET: case OPENING_BRACE: depth++; break
      case CLOSING_BRACKET: case CLOSING_BRACE: depth--; break
    }
  }
  return depth > MAX_DEPTH
}

/** The index of the quote that ends the string which starts at `start`. */
function endOfString (json: JsonText, start: number): number {
  let end = json.indexOf('"', start + 1)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end
}

function isEscaped (json: JsonText, at: number): boolean {
  let backslashes = 0
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}
