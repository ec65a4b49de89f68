import { createScope } from '../abort.ts'
import { isTransient } from '../errors.ts'
import { failureOf, queryText, readPieces, type Http } from '../http.ts'
import { readRecord } from './frames.ts'
import type { LinkEnd, LinkOptions } from './link.ts'
import { createSseParser } from './sse-parser.ts'

/** The server sends a comment every 15 s. */
const SILENCE_MS = 40_000

/** A connection over SSE; resolves when it has ended. */
export async function readSse (
  http: Http, { token, cursor, signal: stopped, onFrame }: LinkOptions
): Promise<LinkEnd> {
  const { url, userId, fetch } = http
  const { signal, restart, dispose } = createScope([stopped], SILENCE_MS)
  let retryMs: number | undefined
  try {
    const response = await fetch(`${url}/events${queryText({ userId, lastEventId: cursor })}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}` }, signal
    })
    const isStream = response.ok && /^text\/event-stream\b/.test(response.headers.get('content-type') ?? '')
    if (!isStream) {
      const error = await failureOf(http, response)
      const isUnauthorized = error.status === 401
      const { message, retryAfterMs } = error
      const isFinal = !isUnauthorized && !response.ok && !isTransient(error)
      return { reason: `SSE: ${message}`, isUnauthorized, retryMs: retryAfterMs, ...(isFinal && { error }) }
    }
    const push = createSseParser(block => {
      retryMs = block.retryMs ?? retryMs
      const data = readRecord(http, block.data)
      if (data && !signal.aborted) onFrame({ event: block.event, data, size: block.data.length })
    })
    await readPieces(response, piece => {
      restart()
      push(piece)
      signal.throwIfAborted()
    })
    return { reason: 'SSE: ended', retryMs }
  } catch (cause) {
    const lost = cause instanceof RangeError ? cause.message : 'connection lost'
    return { reason: `SSE: ${signal.aborted ? 'no sign of life' : lost}`, retryMs }
  } finally {
    dispose()
  }
}
