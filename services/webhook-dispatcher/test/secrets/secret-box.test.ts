import t from 'tap'
import { createSecretBox, UnknownKey } from '../../src/secrets/secret-box.ts'
import { newSigningSecret } from '../../src/secrets/signing-secrets.ts'

t.test('a sealed text is opened again, and is never sealed alike twice', async t => {
  const box = createSecretBox(['a key of many random letters'])
  const secret = newSigningSecret()
  const sealed = [box.seal(secret), box.seal(secret)]
  t.not(sealed[0], sealed[1])
  for (const text of sealed) {
    t.equal(box.open(text), secret)
    t.notOk(text.includes(secret))
  }
})

t.test('after a change of key old secrets are still read, and new ones are sealed with the new key', async t => {
  const sealed = createSecretBox(['old key']).seal('whsec_a')
  const box = createSecretBox(['new key', 'old key'])
  t.equal(box.open(sealed), 'whsec_a')
  t.equal(box.isCurrent(sealed), false)
  const resealed = box.seal('whsec_a')
  t.equal(box.isCurrent(resealed), true)
  t.equal(createSecretBox(['new key']).open(resealed), 'whsec_a')
})

t.test('a key that is missing is named by its id, not by its text', async t => {
  const sealed = createSecretBox(['old key']).seal('whsec_a')
  t.throws(() => createSecretBox(['new key']).open(sealed), UnknownKey)
  t.throws(() => createSecretBox(['new key']).open('nonsense'), UnknownKey)
})

t.test('a changed byte is noticed', async t => {
  const box = createSecretBox(['a key'])
  const [id, text = ''] = box.seal('whsec_a').split('.')
  const bytes = Buffer.from(text, 'base64url')
  for (const at of [0, 13, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    t.throws(() => box.open(`${id}.${changed.toString('base64url')}`))
  }
  t.throws(() => box.open(`${id}.${bytes.subarray(0, 20).toString('base64url')}`), 'cut off')
})

t.test('a signing secret has 32 random bytes', async t => {
  const secret = newSigningSecret()
  t.match(secret, /^whsec_[\w+/]+=$/)
  t.equal(Buffer.from(secret.slice(6), 'base64').length, 32)
  t.not(secret, newSigningSecret())
})
