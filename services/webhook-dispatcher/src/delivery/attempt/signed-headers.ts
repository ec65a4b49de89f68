import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'

const SECRET_PREFIX = 'whsec_'

/** With a KeyObject from this cache a signature of 300 bytes takes 2 µs; with a key of bytes, 12 µs in Node 24. */
const keys = new LRUCache<string, KeyObject>({ max: 10_000, memoMethod: keyOf })

export type SignedMessage = {
  /** The same for every attempt; holds no dot. */
  id: string
  /** The time of this attempt. */
  timestampSeconds: number
  body: string | Buffer
  /** `whsec_…`; several while a secret is being rotated. */
  secrets: readonly string[]
}

export type SignatureHeaders = Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>

/** The three headers of Standard Webhooks 1.0.0, with one `v1` signature (HMAC-SHA256) per secret. */
export function signedHeaders ({ id, timestampSeconds, body, secrets }: SignedMessage): SignatureHeaders {
  const head = `${id}.${timestampSeconds}.`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': secrets.map(secret => signature(secret, head, body)).join(' ')
  }
}

function signature (secret: string, head: string, body: string | Buffer): string {
  const hmac = createHmac('sha256', keys.memo(secret))
  if (typeof body === 'string') hmac.update(head + body) // each call into OpenSSL costs
  else hmac.update(head).update(body)
  return `v1,${hmac.digest('base64')}`
}

function keyOf (secret: string): KeyObject {
  return createSecretKey(Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64'))
}
