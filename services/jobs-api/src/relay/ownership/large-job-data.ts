import { setImmediate as nextTick } from 'node:timers/promises'
import type { Redis } from 'ioredis'

/** Data beyond this many bytes is not searched: it would have to be transferred, and kept in memory, whole. */
const MAX_SEARCHED_BYTES = 32 * 1024 * 1024
/** Bytes after which other work of the process gets a tick of the event loop: some milliseconds. */
const BYTES_PER_TICK = 1024 * 1024
/** A user id has 128 characters at most; each may be written as an escape of six. */
const MAX_VALUE_BYTES = 1024

/**
 * Reads the owner of a job whose data is too large to be parsed with that of other jobs; returns an error if it is too
 * large to be read at all.
 */
export async function readLargeOwner (redis: Redis, key: string, size: number): Promise<unknown> {
  if (size > MAX_SEARCHED_BYTES) {
    return new RangeError(`Data of ${size} bytes exceeds the ${MAX_SEARCHED_BYTES} that are searched for an owner`)
  }
  const data = await redis.hgetBuffer(key, 'data')
  return data ? await topLevelField(data, 'userId') : undefined
}

const byteOf = (char: string) => char.charCodeAt(0)
const [QUOTE, BACKSLASH, COMMA, COLON] = ['"', '\\', ',', ':'].map(byteOf) as [number, number, number, number]
const OPENING = new Set(['{', '['].map(byteOf))
const CLOSING = new Set(['}', ']'].map(byteOf))

/** Finds a field of a JSON object without parsing the rest. As with JSON.parse, the last field of a name counts. */
export async function topLevelField (json: Buffer, name: string): Promise<unknown> {
  const wanted = Buffer.from(name)
  let depth = 0
  let key: Buffer | undefined
  let value: Buffer | undefined
  let start = -1
  let tick = BYTES_PER_TICK
  for (let i = 0; i < json.length; i++) {
    if (i > tick) {
      tick = i + BYTES_PER_TICK
      await nextTick()
    }
    const byte = json[i] as number
    if (byte === QUOTE) {
      const end = endOfString(json, i + 1)
      if (depth === 1 && start < 0) key = json.subarray(i + 1, end)
      i = end
    } else if (byte === COLON && depth === 1) {
      start = i + 1
    } else if (OPENING.has(byte)) {
      depth++
    } else if (depth === 1 && (byte === COMMA || CLOSING.has(byte))) {
      if (start >= 0 && key?.equals(wanted)) value = json.subarray(start, i)
      start = -1
      if (byte !== COMMA) depth--
    } else if (CLOSING.has(byte)) {
      depth--
    }
  }
  return value === undefined || value.length > MAX_VALUE_BYTES ? undefined : parse(value.toString())
}

/** The index of the quote that ends a string. */
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
