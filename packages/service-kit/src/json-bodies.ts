import { isUtf8 } from 'node:buffer'
import createError from '@fastify/error'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { invalidInput } from './invalid-input.ts'
import { jsonFaults } from './json-faults.ts'

const UnsupportedCharset = createError(
  'UNSUPPORTED_CHARSET', 'A body is read as UTF-8; its Content-Type announces %s', 415
)

const UnsupportedEncoding = createError(
  'UNSUPPORTED_ENCODING', 'A body is read as it is; its Content-Encoding is %s', 415
)

const CHARSET = /;\s*charset\s*=\s*("?)([^";\s]*)\1/i
/** ASCII is UTF-8 too. */
const KNOWN_CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])

/** The end of `Unexpected token 'N', "{"a":NaN}" is not valid JSON`. */
const QUOTED_TEXT = /, (?:\.\.\.)?".*$/s

const BYTE_ORDER_MARK = 3
const HEX_ESCAPES_ONLY = /^(?:[^%]|%[0-9a-f]{2})*$/i

/**
 * Parses JSON bodies so that no value changes unnoticed: bytes that are not UTF-8, lone surrogates and numbers that
 * JavaScript cannot represent are faults with their path. A byte order mark is skipped. A compressed body is refused,
 * since what it expands to has no bound. Query strings must be UTF-8 too.
 */
export const jsonBodies = fp(async function jsonBodies (app) {
  const parse = app.getDefaultJsonParser(
    'error', 'error'
  ) as (request: FastifyRequest, text: string, done: (err: Error | null, body?: unknown) => void) => void

  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const text = textOf(request, bytes as Buffer)
    if (text instanceof Error) return done(text)
    parse(request, text, (err, body) => {
      if (err) return done(invalidInput([{ path: 'body', message: syntaxFault(text) }]))
      const errors = jsonFaults(text)
      done(errors.length > 0 ? invalidInput(errors) : null, body)
    })
  })

  app.addHook('onRequest', (request, _reply, done) => {
    const at = request.url.indexOf('?')
    done(at === -1 || isWellFormed(request.url.slice(at + 1))
      ? undefined
      : invalidInput([{ path: 'querystring', message: 'must be UTF-8, percent-encoded' }]))
  })
}, { name: 'json-bodies' })

function textOf ({ headers }: FastifyRequest, bytes: Buffer): string | Error {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity') return new UnsupportedEncoding(encoding.slice(0, 40))
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[2]
  if (charset !== undefined && !KNOWN_CHARSETS.has(charset.toLowerCase())) {
    return new UnsupportedCharset(charset.slice(0, 40))
  }
  if (!isUtf8(bytes)) return invalidInput([{ path: 'body', message: 'must be UTF-8' }])
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return bytes.toString('utf8', hasMark ? BYTE_ORDER_MARK : 0)
}

/** What is wrong with a text that the parser refuses, without quoting it: V8's messages may contain a part of it. */
function syntaxFault (text: string): string {
  if (text.trim() === '') return 'is empty: JSON was expected'
  try {
    JSON.parse(text)
  } catch (err) {
    return `is not valid JSON: ${(err as Error).message.replace(QUOTED_TEXT, '')}`
  }
  return 'has the key __proto__, or a prototype in a constructor, which is refused'
}

/** A percent sign that does not start an escape stands for itself, as most clients intend. */
function isWellFormed (query: string): boolean {
  if (!query.includes('%') || !HEX_ESCAPES_ONLY.test(query)) return true
  try {
    decodeURIComponent(query)
    return true
  } catch {
    return false
  }
}
