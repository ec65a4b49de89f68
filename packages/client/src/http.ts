import { backoffMs, createPause, createScope } from './abort.ts'
import { isTransient, responseError, TidingsError } from './errors.ts'
import type { Tokens } from './token.ts'

/** What all parts of a client share. */
export interface Http {
  /** Without a slash at the end. */
  url: string
  /** For whom an operator acts. */
  userId: string | undefined
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
  headers?: Record<string, string | undefined>
  signal?: AbortSignal | undefined
  timeoutMs?: number
  retries?: number
  /** Whether it does no harm to send it twice; by default for every method but POST. */
  repeatable?: boolean
}

export interface Answer { status: number, headers: Headers, body: unknown }

const FIRST_RETRY_MS = 200
const MAX_RETRY_MS = 5000
/** A request is not kept for longer than this by a Retry-After: then the caller decides. */
const MAX_RETRY_AFTER_MS = 60_000
/** In characters. The largest response that the API describes, a page of deliveries, has about 8 Mi. */
const MAX_RESPONSE = 16 * 1024 * 1024

/** Sends a request, again where that may help and does no harm. Rejects for any other status than 2xx and 304. */
export async function send (http: Http, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const { query = {}, timeoutMs = http.timeoutMs, retries = http.retries, repeatable = method !== 'POST' } = options
  const { signal, dispose } = createScope([options.signal, http.closed])
  const body = options.body === undefined ? undefined : JSON.stringify(options.body)
  const url = `${http.url}${path}${queryText({ userId: http.userId, ...query })}`

  async function sendOnce (token: string): Promise<Answer> {
    const late = new TidingsError('timeout', `No response within ${timeoutMs} ms`)
    const { signal: ending, dispose } = createScope([signal], timeoutMs, late)
    const headers = defined({
      ...options.headers,
      authorization: `Bearer ${token}`,
      'content-type': body && 'application/json'
    })
    try {
      const response = await http.fetch(url, { method, headers, signal: ending, ...(body && { body }) })
      const { status, headers: received, ok } = response
      const answer = { status, headers: received, body: bodyOf(http, await readText(response)) }
      if (ok || status === 304) return answer
      throw responseError(status, received, answer.body)
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
      } catch (err) {
        signal.throwIfAborted()
        if (!(err instanceof TidingsError)) throw err
        const { code, status, retryAfterMs = 0 } = err
        const isGone = status === 404 && method === 'DELETE' && attempt > 0 // the attempt before has done it
        if (isGone) return { status, headers: new Headers(), body: undefined }
        if (status === 401 && !hasRenewed) {
          hasRenewed = true
          await http.tokens.renew('rejected', token, signal).catch(renewal => {
            throw renewal.code === 'unauthorized' ? err : renewal
          })
          attempt--
          continue
        }
        const mayRetry = code === 'rate_limited' || (repeatable && isTransient(err) && code !== 'server_error')
        if (!mayRetry || attempt >= retries || retryAfterMs > MAX_RETRY_AFTER_MS) throw err
        await createPause(signal).wait(Math.max(retryAfterMs, backoffMs(attempt, FIRST_RETRY_MS, MAX_RETRY_MS)))
      }
    }
  } finally {
    dispose()
  }
}

/** The entries that have a value. */
function defined (object: object): [string, string][] {
  return Object.entries(object).filter(([, value]) => value !== undefined) as [string, string][]
}

/** `?a=1&b=2` of what is defined. */
export function queryText (query: object): string {
  const text = new URLSearchParams(defined(query)).toString()
  return text && `?${text}`
}

/** The body as text, up to a bound: a response without an end takes no memory. */
export async function readText (response: Response): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    text += decoder.decode(value, { stream: true })
    if (text.length <= MAX_RESPONSE) continue
    reader.cancel().catch(() => {})
    throw new TidingsError('unexpected_response', 'The response is too long')
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
