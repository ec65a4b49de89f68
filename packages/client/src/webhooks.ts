/** What a webhook posts: the job's id and name, and what happened. */
export type WebhookPayload = { id: string, jobname: string, userId: number | string } & (
  | { eventType: 'progress', progress: unknown, progressTruncated?: true }
  | { eventType: 'completed', result: unknown, resultTruncated?: true }
  | { eventType: 'failed', error: string, errorTruncated?: true }
)

export interface VerifiedWebhook {
  /** `webhook-id`: the same in every attempt, and in sockets and polling. Skip what you have handled. */
  eventId: string
  /** When this attempt was signed. */
  signedAt: Date
  /** 1 for the first. */
  attempt: number
  payload: WebhookPayload
}

export interface VerifyOptions {
  /** Seconds by which the time of signing may differ from now; 300 by default. */
  tolerance?: number
  now?: Date
}

export type WebhookErrorCode =
  'missing_header' | 'invalid_secret' | 'too_old' | 'too_new' | 'invalid_signature' | 'invalid_body'

export class WebhookVerificationError extends Error {
  readonly code: WebhookErrorCode

  constructor (code: WebhookErrorCode, message: string) {
    super(message)
    this.name = 'WebhookVerificationError'
    this.code = code
  }
}

type HeadersLike = { get: (name: string) => string | null } | Record<string, string | string[] | undefined>

const TOLERANCE_S = 300
/** A secret is being replaced by another: two. More are no signatures of ours. */
const MAX_SIGNATURES = 10
const PREFIX = 'whsec_'

/**
 * Verifies a delivery as Standard Webhooks has it, and returns it. The body is the raw one, as it came: parsed and
 * written again it would not match. Rejects with WebhookVerificationError. https://www.standardwebhooks.com
 */
export async function verifyWebhook (
  body: string | Uint8Array | ArrayBuffer, headers: HeadersLike, secret: string, options: VerifyOptions = {}
): Promise<VerifiedWebhook> {
  const { tolerance = TOLERANCE_S, now = new Date() } = options
  const id = header(headers, 'webhook-id')
  const timestamp = header(headers, 'webhook-timestamp')
  const signatures = header(headers, 'webhook-signature')
  const seconds = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : NaN
  if (Number.isNaN(seconds)) throw new WebhookVerificationError('missing_header', 'webhook-timestamp is no time')
  const age = now.getTime() / 1000 - seconds
  if (age > tolerance) throw new WebhookVerificationError('too_old', `It was signed ${Math.round(age)} s ago`)
  if (age < -tolerance) throw new WebhookVerificationError('too_new', `It was signed ${Math.round(-age)} s ahead`)

  const encoder = new TextEncoder()
  const raw = typeof body === 'string' ? encoder.encode(body) : new Uint8Array(body)
  const head = encoder.encode(`${id}.${timestamp}.`)
  const signed = new Uint8Array(head.length + raw.length)
  signed.set(head)
  signed.set(raw, head.length)
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', keyOf(secret), algorithm, false, ['verify'])
  const candidates = signatures.split(' ').slice(0, MAX_SIGNATURES)
    .map(signature => signature.startsWith('v1,') ? fromBase64(signature.slice(3)) : undefined)
    .filter(signature => signature !== undefined)
  // WebCrypto compares in constant time; each is compared, whichever matches.
  const matches = await Promise.all(candidates.map(signature =>
    crypto.subtle.verify(algorithm, key, signature, signed)))
  if (!matches.includes(true)) throw new WebhookVerificationError('invalid_signature', 'No signature matches')

  const attempt = header(headers, 'webhook-attempt', '1') // it is not signed
  return {
    eventId: id,
    signedAt: new Date(seconds * 1000),
    attempt: /^[1-9]\d{0,5}$/.test(attempt) ? Number(attempt) : 1,
    payload: payloadOf(raw)
  }
}

function payloadOf (raw: Uint8Array): WebhookPayload {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(raw))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as WebhookPayload
  } catch {}
  throw new WebhookVerificationError('invalid_body', 'The body is not a JSON object')
}

function keyOf (secret: string) {
  const key = fromBase64(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret)
  if (key?.length) return key
  throw new WebhookVerificationError('invalid_secret', 'The secret is not base64')
}

/** Fetch's Headers, or an object as Node has it, with names in lower case. */
function header (headers: HeadersLike, name: string, missing?: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, string>)[name]
  const text = (Array.isArray(value) ? String(value[0]) : value) || missing
  if (!text) throw new WebhookVerificationError('missing_header', `The header ${name} is missing`)
  return text
}

function fromBase64 (text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), character => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
