import type { AttemptErrorClass } from '@tidings/contracts'

export type ErrorClass = AttemptErrorClass

/**
 * Milliseconds. dns and connect (TLS included) only where this attempt opened the connection; ttfb from the request on.
 */
export type Durations = { dnsMs?: number, connectMs?: number, ttfbMs?: number, totalMs: number }

/** What became of one POST. `ok` is a complete 2xx answer; everything else has an error class. */
export type AttemptOutcome = {
  ok: boolean
  status?: number
  errorClass?: ErrorClass
  message?: string
  responseHeaders?: Record<string, string>
  /** The first 16 KiB of the answer as text. */
  responseBody?: string
  /** What Retry-After asks for, counted from the answer on. */
  retryAfterMs?: number
  durations: Durations
}

/**
 * Why an attempt failed. The message is made here and shown to the webhook's
 * owner, so it holds no address and nothing that a peer has sent.
 */
export class EgressError extends Error {
  readonly errorClass: ErrorClass

  constructor (errorClass: ErrorClass, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'EgressError'
    this.errorClass = errorClass
  }
}

/** The code of a system or library error, for messages: `ECONNREFUSED`. */
export function codeOf (err: unknown): string {
  const { code } = err as { code?: unknown }
  return typeof code === 'string' ? code : 'unknown'
}
