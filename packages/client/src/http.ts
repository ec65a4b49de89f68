import { anySignal, backoffMs, sleep } from './abort.ts'
import { isTransient, responseError, TidingsError } from './errors.ts'
import type { Tokens } from './token.ts'

/** What all parts of a client share. */
export interface Http {
  /** Without a slash at the end. */
  url: string
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

/** The path with each part encoded. */
export function path (parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return String.raw({ raw: parts }, ...values.map(value => encodeURIComponent(value)))
}

/** Sends a request and returns the body of the response. */
export async function call<T> (http: Http, method: string, path: string, options: SendOptions = {}): Promise<T> {
  return (await send(http, method, path, options)).body as T
}

/** Sends a request, again where that may help and does no harm. Rejects for any other status than 2xx and 304. */
export async function send (http: Http, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const { signal, dispose } = anySignal(options.signal, http.closed)
  const { retries = http.retries, repeatable = method !== 'POST' } = options
  let hasRenewed = false
  try {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      const token = await http.tokens.get(signal)
      try {
        return await sendOnce(http, method, path, { ...options, signal, token })
      } catch (err) {
        signal.throwIfAborted()
        if (!(err instanceof TidingsError)) throw err
        const isGone = err.status === 404 && method === 'DELETE' && attempt > 0 // the attempt before has done it
        if (isGone) return { status: 204, headers: new Headers(), body: undefined }
        if (err.status === 401 && !hasRenewed) {
          hasRenewed = true
          await http.tokens.renew('rejected', token, signal).catch(renewal => {
            throw renewal.code === 'unauthorized' ? err : renewal
          })
          attempt--
          continue
        }
        const { retryAfterMs = 0 } = err
        const mayRetry = err.code === 'rate_limited' || (repeatable && isTransient(err) && err.code !== 'server_error')
        if (!mayRetry || attempt >= retries || retryAfterMs > MAX_RETRY_AFTER_MS) throw err
        await sleep(Math.max(retryAfterMs, backoffMs(attempt, FIRST_RETRY_MS, MAX_RETRY_MS)), signal)
      }
    }
  } finally {
    dispose()
  }
}

async function sendOnce (
  http: Http, method: string, path: string, options: SendOptions & { token: string, signal: AbortSignal }
): Promise<Answer> {
  const { query = {}, body, token, timeoutMs = http.timeoutMs } = options
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), timeoutMs)
  const { signal, dispose } = anySignal(options.signal, timeout.signal)
  const headers = Object.entries({
    ...options.headers,
    authorization: `Bearer ${token}`,
    'content-type': body === undefined ? undefined : 'application/json'
  }).filter((header): header is [string, string] => header[1] !== undefined)
  try {
    const response = await http.fetch(`${http.url}${path}${queryText(query)}`, {
      method, headers, signal, ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const answer = { status: response.status, headers: response.headers, body: bodyOf(http, await readText(response)) }
    if (response.ok || response.status === 304) return answer
    throw responseError(answer.status, answer.headers, answer.body)
  } catch (cause) {
    if (cause instanceof TidingsError) throw cause
    if (timeout.signal.aborted) throw new TidingsError('timeout', `No response within ${timeoutMs} ms`, { cause })
    throw new TidingsError('network', `${method} ${path} got no response`, { cause })
  } finally {
    clearTimeout(timer)
    dispose()
  }
}

/** `?a=1&b=2` of what is defined. */
export function queryText (query: object): string {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined)).toString()
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
    throw new TidingsError('unexpected_response', `The response is longer than ${MAX_RESPONSE} characters`)
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
