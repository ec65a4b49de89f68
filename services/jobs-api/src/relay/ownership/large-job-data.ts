import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Redis } from 'ioredis'

/** Data beyond this many bytes is not searched: it would have to cross the wire, and stand in memory, whole. */
export const MAX_SEARCHED_BYTES = 32 * 1024 * 1024
/** Bytes after which other work of the process gets its turn: some milliseconds. */
const BYTES_A_TURN = 1024 * 1024
/** A user id has 128 characters at most; each may be written as an escape of six. */
const MAX_VALUE_BYTES = 1024

/** Whose job it is whose data is too large to be parsed with all others; an error where it is too large to be read at all. */
export async function readLargeOwner (redis: Redis, key: string, size: number): Promise<unknown> {
  if (size > MAX_SEARCHED_BYTES) {
    return new RangeError(`Its data of ${size} bytes is larger than the ${MAX_SEARCHED_BYTES} that are searched for the owner`)
  }
  const data = await redis.hgetBuffer(key, 'data')
  return data ? await topLevelField(data, 'userId') : undefined
}

const [QUOTE, BACKSLASH, COMMA, COLON] = ['"', '\\', ',', ':'].map(char => char.charCodeAt(0)) as [number, number, number, number]
const OPENS = new Set(['{', '['].map(char => char.charCodeAt(0)))
const CLOSES = new Set(['}', ']'].map(char => char.charCodeAt(0)))

/** A field of a JSON object, found without parsing the rest. As with JSON.parse, the last of one name counts. */
export async function topLevelField (json: Buffer, name: string): Promise<unknown> {
  const wanted = Buffer.from(name)
  let depth = 0
  let key: Buffer | undefined
  let value: Buffer | undefined
  let start = -1
  let turn = BYTES_A_TURN
  for (let i = 0; i < json.length; i++) {
    if (i > turn) {
      turn = i + BYTES_A_TURN
      await nextTurn()
    }
    const byte = json[i] as number
    if (byte === QUOTE) {
      const end = endOfString(json, i + 1)
      if (depth === 1 && start < 0) key = json.subarray(i + 1, end)
      i = end
    } else if (byte === COLON && depth === 1) {
      start = i + 1
    } else if (OPENS.has(byte)) {
      depth++
    } else if (depth === 1 && (byte === COMMA || CLOSES.has(byte))) {
      if (start >= 0 && key?.equals(wanted)) value = json.subarray(start, i)
      start = -1
      if (byte !== COMMA) depth--
    } else if (CLOSES.has(byte)) {
      depth--
    }
  }
  return value === undefined || value.length > MAX_VALUE_BYTES ? undefined : parse(value.toString())
}

/** The quote that ends a string. */
function endOfString (json: Buffer, from: number): number {
  for (let end = json.indexOf(QUOTE, from); end >= 0; end = json.indexOf(QUOTE, end + 1)) {
    let slashes = 0
    while (json[end - 1 - slashes] === BACKSLASH && end - 1 - slashes >= from) slashes++
    if (slashes % 2 === 0) return end
  }
  return json.length
}

function parse (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
