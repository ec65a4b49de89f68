import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Each attempt opens the secrets that sign it: those in use are opened once. */
const MAX_OPENED = 10_000
const PURPOSE = 'tidings webhook secrets'

/** Encrypts what is stored. Whoever reads the database alone reads no secret. */
export type SecretBox = {
  seal: (secret: string) => string
  /** @throws UnknownKey where it was sealed with a key that is not among the given ones */
  open: (sealed: string) => string
  /** Whether it was sealed with the key that seals now. */
  isCurrent: (sealed: string) => boolean
}

export class UnknownKey extends Error {
  constructor (keyId: string) {
    super(`A secret was encrypted with the key ${keyId}, which is not among WEBHOOK_SECRET_KEY and WEBHOOK_SECRET_KEYS`)
    this.name = 'UnknownKey'
  }
}

/**
 * A box over several keys: the first seals, each opens what it has sealed. The
 * form is `<key id>.<nonce, tag and ciphertext in base64url>`; a key's id comes
 * from the key itself, so that nobody has to name keys.
 */
export function createSecretBox ([current, ...retired]: readonly [string, ...string[]]): SecretBox {
  const seals = keyOf(current)
  const keys = new Map([seals, ...retired.map(keyOf)].map(key => [key.id, key.bytes]))
  const opened = new LRUCache<string, string>({ max: MAX_OPENED, memoMethod: decrypted })

  function decrypted (sealed: string): string {
    const [id = '', text = ''] = sealed.split('.')
    const key = keys.get(id)
    if (!key) throw new UnknownKey(id)
    const bytes = Buffer.from(text, 'base64url')
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  }

  return {
    seal (secret) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, seals.bytes, nonce)
      const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return `${seals.id}.${Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url')}`
    },
    open: sealed => opened.memo(sealed),
    isCurrent: sealed => sealed.startsWith(`${seals.id}.`)
  }
}

/** The variable's text is any string with enough randomness in it; HKDF makes a key of the right size. */
function keyOf (text: string): { id: string, bytes: Buffer } {
  const bytes = Buffer.from(hkdfSync('sha256', text, '', PURPOSE, KEY_BYTES))
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes }
}
