import { randomBytes } from 'node:crypto'
import t from 'tap'
import { decrypt, encrypt } from '../src/index.ts'

const key = randomBytes(32)

t.test('a text is encrypted differently each time, and decrypted with the same key', async t => {
  for (const text of ['', 'a secret', 'ß → 🔑'.repeat(1000)]) t.equal(decrypt(key, encrypt(key, text)), text)
  t.not(encrypt(key, 'a secret').toString('hex'), encrypt(key, 'a secret').toString('hex'))
})

t.test('another key, a changed byte and a shortened text are refused', async t => {
  const encrypted = encrypt(key, 'a secret')
  t.throws(() => decrypt(randomBytes(32), encrypted))
  for (let i = 0; i < encrypted.length; i++) {
    const changed = Buffer.from(encrypted)
    changed[i] = (changed[i] as number) ^ 1
    t.throws(() => decrypt(key, changed), `byte ${i}`)
  }
  for (let length = 0; length < encrypted.length; length++) {
    t.throws(() => decrypt(key, encrypted.subarray(0, length)), `${length} bytes`)
  }
})
