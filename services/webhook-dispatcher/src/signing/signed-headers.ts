import { createHmac } from 'node:crypto'

const SECRET_PREFIX = 'whsec_'

export type SignedMessage = {
  /** The same for every attempt; holds no dot. */
  id: string
  /** Of this attempt. */
  timestampSeconds: number
  body: string | Buffer
  /** `whsec_…`; several while a secret is being rotated. */
  secrets: readonly string[]
}

export type SignatureHeaders = Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>

/** The three headers of Standard Webhooks 1.0.0, with one `v1` signature (HMAC-SHA256) a secret. */
export function signedHeaders ({ id, timestampSeconds, body, secrets }: SignedMessage): SignatureHeaders {
  const head = `${id}.${timestampSeconds}.`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': secrets.map(secret => signature(secret, head, body)).join(' ')
  }
}

function signature (secret: string, head: string, body: string | Buffer): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
  return `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`
}
