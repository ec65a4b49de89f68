import { setTimeout as sleep } from 'node:timers/promises'
import { longToken } from './token.ts'

const REQUEST_TIMEOUT_MS = 15_000
const RETRY_MS = 100
/** A system that has not served a request after this time does not recover. */
const PATIENCE_MS = 300_000

export interface Send { method?: string, body?: object, key?: string, expected?: number[] }
export interface Response<Body> { status: number, body: Body }
export type Rest = <Body>(path: string, send?: Send) => Promise<Response<Body>>

/** A status that no fault explains. */
class UnexpectedStatus extends Error {}

/**
 * Sends a user's requests as a careful client does: again after a timeout, a lost connection or a 5xx, with the same
 * Idempotency-Key. Rejects at a status that is not expected.
 */
export function restOf (url: string, user: string): Rest {
  const authorization = `Bearer ${longToken(user)}`
  return async function send<Body> (path: string, { method, body, key, expected = [200] }: Send = {}) {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const response = await fetch(url + path, {
        method: method ?? (body ? 'POST' : 'GET'),
        headers: {
          authorization, ...(key && { 'idempotency-key': key }), ...(body && { 'content-type': 'application/json' })
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS)
      }).then(async answer => ({ status: answer.status, text: await answer.text() }), (err: Error) => err)
      if (!(response instanceof Error)) {
        const { status, text } = response
        if (expected.includes(status)) return { status, body: (text ? JSON.parse(text) : undefined) as Body }
        if (status < 500) throw new UnexpectedStatus(`${method ?? ''} ${path}: ${status} ${text}`)
      }
      if (Date.now() > deadline) {
        throw new Error(`${path} was not served for ${PATIENCE_MS} ms; last: ${JSON.stringify(response)}`)
      }
      await sleep(RETRY_MS)
    }
  }
}
