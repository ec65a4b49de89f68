import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Encrypts a text with AES-256-GCM under a key of 32 bytes. The result is nonce, tag and ciphertext in one. */
export function encrypt (key: Buffer, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce)
  const ciphertext = [cipher.update(text, 'utf8'), cipher.final()]
  return Buffer.concat([nonce, cipher.getAuthTag(), ...ciphertext])
}

/**
 * The text that `encrypt` was given.
 * @throws where the bytes were changed, or encrypted under another key
 */
export function decrypt (key: Buffer, encrypted: Buffer): string {
  const tagEnd = NONCE_BYTES + TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, key, encrypted.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAuthTag(encrypted.subarray(NONCE_BYTES, tagEnd))
  return decipher.update(encrypted.subarray(tagEnd), undefined, 'utf8') + decipher.final('utf8')
}
