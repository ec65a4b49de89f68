import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@tidings/testing'
import t from 'tap'
import { readSecrets } from '../../src/system/secrets.ts'

t.test('secrets are generated once, are distinct, and are readable by their owner only', async t => {
  const folder = temporaryFolder(t)
  const secrets = readSecrets(folder, {})
  t.same(readSecrets(folder, {}), secrets)
  t.equal(new Set(Object.values(secrets)).size, 5)
  t.ok(Object.values(secrets).every(secret => secret.length >= 40))
  t.equal(statSync(join(folder, 'secrets')).mode & 0o777, 0o600)
})

t.test('secrets of the environment take precedence and are not stored', async t => {
  const folder = temporaryFolder(t)
  t.match(readSecrets(folder, { TOKEN_SECRET: 'given', POSTGRES_PASSWORD: 'given' }), {
    TOKEN_SECRET: 'given',
    POSTGRES_PASSWORD: /^.{40,}$/
  })
  t.notMatch(readFileSync(join(folder, 'secrets'), 'utf8'), 'given')
})
