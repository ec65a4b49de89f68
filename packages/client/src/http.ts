import { backoffMs, createPause, createScope, MAX_ASKED_MS } from './abort.ts'
import { isTransient, responseError, TidingsError } from './errors.ts'
import type { Tokens } from './token.ts'

/** What all parts of a client share. */
export interface Http {
  /** Without a slash at the end. */
  url: string
  /** For whom an operator acts. */
  userId: string | number | undefined
  fetch: typeof globalThis.fetch
  tokens: Tokens
  /** Aborts when the client is closed. */
  closed: AbortSignal
  timeoutMs: number
  retries: number
  parse: (text: string) => unknown
}

export interface SendOptions {
  query?: object | undefined
  body?: unknown
  headers?: Record<string, string | null | undefined>
  signal?: AbortSignal | undefined
  /** Makes it harmless to send a POST twice; other methods need none. */
  idempotencyKey?: string | undefined
}

export interface Answer { status: number, etag?: string | null, body: unknown }

const FIRST_RETRY_MS = 200
const MAX_RETRY_MS = 5000
/** In characters. The largest response that the API describes, a page of deliveries, has about 8 Mi. */
const MAX_RESPONSE = 16 * 1024 * 1024

/** Sends a request, again where that may help and does no harm. Rejects for any other status than 2xx and 304. */
export async function send (http: Http, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const { timeoutMs, retries } = http
  const { query = {}, idempotencyKey } = options
  const isRepeatable = method !== 'POST' || idempotencyKey !== undefined
  const { signal, dispose } = createScope([options.signal, http.closed])
  const body = options.body === undefined ? undefined : JSON.stringify(options.body)
  const url = `${http.url}${path}${queryText({ userId: http.userId, ...query })}`

  async function sendOnce (token: string): Promise<Answer> {
    const late = new TidingsError('timeout', `No response within ${timeoutMs} ms`)
    const { signal: ending, dispose } = createScope([signal], timeoutMs, late)
    const headers = defined({
      ...options.headers,
      authorization: `Bearer ${token}`,
      'idempotency-key': idempotencyKey,
      'content-type': body && 'application/json'
    })
    try {
      const response = await http.fetch(url, { method, headers, signal: ending, ...(body && { body }) })
      const { status, ok } = response
      if (!ok && status !== 304) throw await failureOf(http, response)
      return { status, etag: response.headers.get('etag'), body: bodyOf(http, await readText(response)) }
    } catch (cause) {
      ending.throwIfAborted()
      if (cause instanceof TidingsError) throw cause
      throw new TidingsError('network', `${method} ${path} got no response`, { cause })
    } finally {
      dispose()
    }
  }

  let hasRenewed = false
  try {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      const token = await http.tokens.get(signal)
      try {
        return await sendOnce(token)
      } catch (cause) {
        signal.throwIfAborted()
        const err = cause as TidingsError
        const { code, status, retryAfterMs = 0 } = err
        const isGone = status === 404 && method === 'DELETE' && attempt > 0 // the attempt before has done it
        if (isGone) return { status, body: undefined }
        if (status === 401 && !hasRenewed) {
          hasRenewed = true
          await http.tokens.renew('rejected', token, signal).catch(renewal => {
            throw renewal.code === 'unauthorized' ? err : renewal
          })
          attempt--
          continue
        }
        const mayRetry = code === 'rate_limited' || (isRepeatable && isTransient(err) && code !== 'server_error')
        if (!mayRetry || attempt >= retries || retryAfterMs > MAX_ASKED_MS) throw err
        await createPause(signal).wait(backoffMs(attempt, retryAfterMs, FIRST_RETRY_MS, MAX_RETRY_MS))
      }
    }
  } finally {
    dispose()
  }
}

/** The entries that have a value. */
function defined (object: object): [string, string][] {
  return Object.entries(object).filter(([, value]) => value != null) as [string, string][]
}

/** `?a=1&b=2` of what is defined. */
export function queryText (query: object): string {
  const text = `${new URLSearchParams(defined(query))}`
  return text && `?${text}`
}

/** The error that a response means. */
export async function failureOf (http: Http, response: Response): Promise<TidingsError> {
  return responseError(response.status, response.headers, bodyOf(http, await readText(response)))
}

/** The body as text, up to a bound: a response without an end takes no memory. */
async function readText (response: Response): Promise<string> {
  let text = ''
  await readPieces(response, piece => {
    text += piece
    if (text.length > MAX_RESPONSE) throw new TidingsError('unexpected_response', 'The response is too long')
  })
  return text
}

/** Reads the body as text, piece by piece, until it ends or the listener throws. */
export async function readPieces ({ body }: Response, onPiece: (text: string) => void): Promise<void> {
  if (!body) return
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      onPiece(decoder.decode(value, { stream: !done }))
      if (done) return
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** JSON as its value, other text as it is: a proxy's error page may come in place of a problem. */
export function bodyOf ({ parse }: Pick<Http, 'parse'>, text: string): unknown {
  try {
    return text === '' ? undefined : parse(text)
  } catch {
    return text
  }
}
