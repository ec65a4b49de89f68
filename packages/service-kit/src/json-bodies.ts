import { isUtf8 } from 'node:buffer'
import createError from '@fastify/error'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { invalidInput } from './invalid-input.ts'
import { jsonFaults } from './json-faults.ts'

const UnsupportedCharset = createError(
  'UNSUPPORTED_CHARSET', 'A body is read as UTF-8; its Content-Type announces %s', 415
)

const CHARSET = /;\s*charset\s*=\s*("?)([^";\s]*)\1/i
/** ASCII is UTF-8 too. */
const KNOWN_CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])

const BYTE_ORDER_MARK = 3
const HEX_ESCAPES_ONLY = /^(?:[^%]|%[0-9a-f]{2})*$/i

/**
 * Parses JSON bodies so that no value changes unnoticed: bytes that are not UTF-8, lone surrogates and numbers that
 * JavaScript cannot represent are faults with their path. A byte order mark is skipped. Query strings must be UTF-8
 * too.
 */
export const jsonBodies = fp(async function jsonBodies (app) {
  const parse = app.getDefaultJsonParser(
    'error', 'error'
  ) as (request: FastifyRequest, text: string, done: (err: Error | null, body?: unknown) => void) => void

  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const text = textOf(request, bytes as Buffer)
    if (text instanceof Error) return done(text)
    parse(request, text, (err, body) => {
      if (err) return done(err)
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
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[2]
  if (charset !== undefined && !KNOWN_CHARSETS.has(charset.toLowerCase())) {
    return new UnsupportedCharset(charset.slice(0, 40))
  }
  if (!isUtf8(bytes)) return invalidInput([{ path: 'body', message: 'must be UTF-8' }])
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return bytes.toString('utf8', hasMark ? BYTE_ORDER_MARK : 0)
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
