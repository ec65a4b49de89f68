import {
  constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress
} from 'node:zlib'
import type { Transform } from 'node:stream'
import { replaceNul } from '@tidings/service-kit'

/** How much of a response is kept for the log. */
export const MAX_KEPT = 16 * 1024

const CHARSET = /charset\s*=\s*"?([\w.:-]+)/i
const UTF_8 = /^utf-?8$/i
// A truncated body is decoded as far as it goes.
const CUT = { finishFlush: constants.Z_SYNC_FLUSH }

/**
 * The text of the first bytes of a response: decompressed, decoded by its charset, and always well-formed. The owner
 * of the webhook reads it to find a fault of the endpoint.
 */
export async function bodyText (
  bytes: Buffer, { encoding, contentType }: { encoding: string, contentType: string }
): Promise<string> {
  const plain = await decompressed(bytes, encoding.trim().toLowerCase()).catch(() => undefined)
  if (plain === undefined) return `(${bytes.length} bytes of ${encoding} that could not be decoded)`
  return textOf(plain, contentType)
}

/** Text that Postgres can store. */
export function textOf (bytes: Buffer, contentType: string): string {
  const [, charset = 'utf-8'] = CHARSET.exec(contentType) ?? []
  const isWhole = bytes.length < MAX_KEPT && UTF_8.test(charset)
  // With `stream`, a character that was cut in two is omitted.
  const text = isWhole ? bytes.toString() : decoderOf(charset).decode(bytes, { stream: true })
  return replaceNul(text)
}

function decoderOf (charset: string) {
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}

async function decompressed (bytes: Buffer, encoding: string): Promise<Buffer> {
  const decoder = decompressorOf(bytes, encoding)
  if (!decoder) return bytes
  const parts: Buffer[] = []
  let length = 0
  try {
    decoder.end(bytes)
    for await (const part of decoder as AsyncIterable<Buffer>) {
      parts.push(part)
      length += part.length
      if (length >= MAX_KEPT) break // the rest may be of any length
    }
  } catch (err) {
    if (length === 0) throw err
  }
  return Buffer.concat(parts).subarray(0, MAX_KEPT)
}

function decompressorOf (bytes: Buffer, encoding: string): Transform | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip': return createGunzip(CUT)
    // The standard means zlib's format; some servers send raw deflate.
    case 'deflate': return ((bytes[0] ?? 0) & 0x0f) === 8 ? createInflate(CUT) : createInflateRaw(CUT)
    case 'br': return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH })
    case 'zstd': return createZstdDecompress({ finishFlush: constants.ZSTD_e_flush })
    default: return undefined
  }
}
