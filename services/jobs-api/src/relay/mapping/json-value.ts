import { jsonText, type JsonText } from '@tidings/contracts'

/** Deeper values can't be read by common clients (Python stops at 1,000 levels, .NET at 64), and Postgres refuses some. */
const MAX_DEPTH = 1000

const LINE_BREAKS = /[\r\n]+/g

const [QUOTE, BACKSLASH, OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]

/**
 * What a worker wrote as progress or result, as JSON: its own text, where that
 * is JSON. Other text (`NaN` of a Python worker) becomes a JSON string, an
 * empty one null. Line breaks between tokens become spaces: an event stream
 * gives its lines another meaning.
 */
export function valueOf (text: string | undefined): JsonText {
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

/** Whether a value is nested deeper than 1,000 levels: then it is reported as too large. */
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

/** Where the string that begins at `start` ends. */
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
