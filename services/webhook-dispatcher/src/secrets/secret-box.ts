import { createHash, hkdfSync } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { decrypt, encrypt } from '@tidings/service-kit'

const KEY_BYTES = 32
/** Each attempt opens the secrets that sign it; secrets in use are decrypted once. */
const MAX_OPENED = 10_000
const PURPOSE = 'tidings webhook secrets'

/** Encrypts secrets for storage: reading the database alone reveals none. */
export type SecretBox = {
  seal: (secret: string) => string
  /** @throws UnknownKey where the key that sealed it is not among the given ones */
  open: (sealed: string) => string
  /** Whether it was sealed with the current key. */
  isCurrent: (sealed: string) => boolean
}

export class UnknownKey extends Error {
  constructor (keyId: string) {
    super(`A secret was encrypted with the key ${keyId}, which is not among WEBHOOK_SECRET_KEY and WEBHOOK_SECRET_KEYS`)
    this.name = 'UnknownKey'
  }
}

/**
 * A box with several keys: the first seals, each opens what it has sealed. The
 * form is `<key id>.<nonce, tag and ciphertext in base64url>`; the id of a key
 * is derived from it, so that keys need no names.
 */
export function createSecretBox ([current, ...retired]: readonly [string, ...string[]]): SecretBox {
  const sealing = keyOf(current)
  const keys = new Map([sealing, ...retired.map(keyOf)].map(key => [key.id, key.bytes]))
  const opened = new LRUCache<string, string>({ max: MAX_OPENED, memoMethod: decrypted })

  function decrypted (sealed: string): string {
    const [id = '', text = ''] = sealed.split('.')
    const key = keys.get(id)
    if (!key) throw new UnknownKey(id)
    return decrypt(key, Buffer.from(text, 'base64url'))
  }

  return {
    seal: secret => `${sealing.id}.${encrypt(sealing.bytes, secret).toString('base64url')}`,
    open: sealed => opened.memo(sealed),
    isCurrent: sealed => sealed.startsWith(`${sealing.id}.`)
  }
}

/** The variable may be any text with enough randomness; HKDF derives a key of the right size. */
function keyOf (text: string): { id: string, bytes: Buffer } {
  const bytes = Buffer.from(hkdfSync('sha256', text, '', PURPOSE, KEY_BYTES))
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes }
}
