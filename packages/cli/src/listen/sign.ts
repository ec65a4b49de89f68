import { createHmac, randomBytes } from 'node:crypto'
import { UsageError } from '../failure.ts'
import { VERSION } from '../version.ts'

const PREFIX = 'whsec_'

export const newSecret = (): string => `${PREFIX}${randomBytes(32).toString('base64')}`

export function checkSecret (secret: string): string {
  const base64 = secret.slice(PREFIX.length)
  const isBase64 = base64 !== '' && Buffer.from(base64, 'base64').toString('base64') === base64
  if (secret.startsWith(PREFIX) && isBase64) return secret
  throw new UsageError('--secret takes whsec_ and base64')
}

interface Message {
  /** The id of the event. */
  id: string
  body: string
  secret: string
  attempt: number
  now?: number
}

/** The headers of a delivery, as the dispatcher sends them: Standard Webhooks 1.0.0. */
export function webhookHeaders ({ id, body, secret, attempt, now = Date.now() }: Message): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'user-agent': `Tidings/${VERSION}`,
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
    'webhook-attempt': String(attempt)
  }
}
