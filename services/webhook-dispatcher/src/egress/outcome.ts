import type { AttemptErrorClass } from '@tidings/contracts'

export type ErrorClass = AttemptErrorClass

/**
 * Milliseconds. dns and connect (TLS included) only where this attempt opened the connection; ttfb from the request on.
 */
export type Durations = { dnsMs?: number, connectMs?: number, ttfbMs?: number, totalMs: number }

/** The outcome of one POST. `ok` is a 2xx response; everything else has an error class. */
export type AttemptOutcome = {
  ok: boolean
  status?: number
  errorClass?: ErrorClass
  message?: string
  responseHeaders?: Record<string, string>
  /** The first 16 KiB of the response as text. */
  responseBody?: string
  /** The delay of Retry-After, counted from the response. */
  retryAfterMs?: number
  durations: Durations
}

/**
 * Why an attempt failed. The message is written here and shown to the owner of the webhook, so it contains no address
 * and nothing that a peer has sent.
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
