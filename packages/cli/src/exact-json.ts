/** `JSON.rawJSON` of Node 22; without it numbers are read as JavaScript has them. */
const rawJson = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON

/**
 * Reads JSON without changing a number: one that JavaScript cannot hold, or would write differently, keeps its text,
 * and is written with it by `JSON.stringify`.
 */
export function parseExact (text: string): unknown {
  if (!rawJson) return JSON.parse(text)
  return JSON.parse(text, function (_key, value: unknown, context?: { source?: string }) {
    const source = typeof value === 'number' ? context?.source : undefined
    return source === undefined || String(value) === source ? value : rawJson(source)
  })
}

/** Under which an event keeps the text of its `progress` or `result`, as the worker wrote it. */
export const VALUE_TEXT = Symbol('text of the value')

/**
 * Reads a frame of an event channel, `{event, data}` or the data alone, and keeps the text of the value that its event
 * carries: objects lose the order of some keys when they are read.
 */
export function parseFrame (text: string): unknown {
  const value = parseExact(text) as Record<string, unknown> | null
  if (typeof value !== 'object' || value === null) return value
  const isEnvelope = typeof value.data === 'object' && value.data !== null
  const data = (isEnvelope ? value.data : value) as Record<string | symbol, unknown>
  const name = 'result' in data ? 'result' : 'progress' in data ? 'progress' : undefined
  if (name !== undefined) data[VALUE_TEXT] = memberText(isEnvelope ? memberText(text, 'data') ?? '' : text, name)
  return value
}

/** The text of a member of a JSON object; of two with the same name the last, as `JSON.parse` has it. */
export function memberText (object: string, name: string): string | undefined {
  let found: string | undefined
  let at = object.indexOf('{') + 1
  for (;;) {
    at = skipSpace(object, at)
    if (object[at] !== '"') return found
    const keyEnd = skipString(object, at)
    const key = JSON.parse(object.slice(at, keyEnd)) as string
    const start = skipSpace(object, skipSpace(object, keyEnd) + 1) // over the colon
    const end = skipValue(object, start)
    if (key === name) found = object.slice(start, end)
    at = skipSpace(object, end)
    if (object[at] !== ',') return found
    at++
  }
}

function skipSpace (text: string, at: number): number {
  while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at++
  return at
}

/** From a quote to behind the quote that closes it. */
function skipString (text: string, at: number): number {
  for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
  return at + 1
}

function skipValue (text: string, at: number): number {
  let depth = 0
  for (; at < text.length; at++) {
    const character = text[at] as string
    if (character === '"') at = skipString(text, at) - 1
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') {
      if (depth === 0) return at
      depth--
    } else if (depth === 0 && ', \t\n\r'.includes(character)) return at
  }
  return at
}
