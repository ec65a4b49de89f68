/** An error response as the services write it (RFC 9457). */
export interface Problem {
  type?: string
  title?: string
  status?: number
  detail?: string
  /** Finds the request in the logs of the services. */
  instance?: string
  /** Each fault of the input with its path. */
  errors?: { path: string, message: string }[]
}

export type ErrorCode =
  | 'unauthorized' // no token, or one that is refused
  | 'forbidden'
  | 'not_found'
  | 'invalid_request'
  | 'conflict'
  | 'gone'
  | 'rate_limited'
  | 'unavailable' // 502, 503 and others: may succeed later
  | 'server_error'
  | 'network' // no response
  | 'timeout'
  | 'unexpected_response' // not what the API describes
  | 'token_failed' // the token callback failed
  | 'invalid_value' // refused by a schema; `issues` says why
  | 'job_failed'
  | 'closed' // the client was closed

export interface ErrorDetails {
  status?: number | undefined
  problem?: Problem | undefined
  retryAfterMs?: number | undefined
  issues?: readonly unknown[] | undefined
  cause?: unknown
}

/** Every error of this package, but for an abort: that throws the signal's own reason. */
export class TidingsError extends Error {
  declare readonly code: ErrorCode
  /** The HTTP status, where there was a response. */
  declare readonly status: number | undefined
  declare readonly problem: Problem | undefined
  /** When the server wants to be asked again, in milliseconds from the response. */
  declare readonly retryAfterMs: number | undefined
  /** Of `invalid_value`: what the schema found. */
  declare readonly issues: readonly unknown[] | undefined

  constructor (code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details)
    this.name = 'TidingsError'
    Object.assign(this, { code }, details)
  }
}

const CODES: Record<number, ErrorCode> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  410: 'gone',
  429: 'rate_limited'
}

/** What a date or a number of seconds may say at most: beyond, timers overflow. */
const MAX_RETRY_AFTER_MS = 86_400_000

/** The error that an HTTP response with this status means. */
export function responseError (status: number, headers: Headers, body: unknown): TidingsError {
  const problem = isRecord(body) ? body as Problem : undefined
  const code = CODES[status] ?? (status > 501
    ? 'unavailable'
    : status >= 500 ? 'server_error' : status >= 400 ? 'invalid_request' : 'unexpected_response')
  const text = problem?.detail ?? problem?.title
  return new TidingsError(code, `HTTP ${status}${text ? `: ${text}` : ''}`, {
    status,
    problem,
    retryAfterMs: retryAfterMs(headers.get('retry-after'))
  })
}

/** Retry-After as milliseconds: it holds seconds or a date. */
function retryAfterMs (text: string | null): number | undefined {
  const ms = Number(text) * 1000 || Date.parse(text ?? '') - Date.now()
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined
}

const TRANSIENT: ErrorCode[] = ['network', 'timeout', 'rate_limited', 'unavailable', 'server_error', 'token_failed']

/** Whether the same request may succeed later. */
export function isTransient (err: unknown): err is TidingsError {
  return err instanceof TidingsError && TRANSIENT.includes(err.code)
}

export function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
