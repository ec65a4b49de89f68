import { existsSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { createVerifier } from 'fast-jwt'
import t from 'tap'
import { root } from '../src/index.ts'

const run = (args: string[], env: NodeJS.ProcessEnv = {}) => execFileSync(process.execPath, [join(
  root,
  'infra/local/src/token.ts'
), ...args], {
  encoding: 'utf8', env: { PATH: process.env.PATH, ...env }
})

t.test('prints a token and a refresh token of the user, signed with the secrets of the environment', async t => {
  const output = run(['--user', '7'], {
    TOKEN_SECRET: 'one',
    REFRESH_TOKEN_SECRET: 'two',
    WEBHOOK_SECRET_KEY: 'three',
    JWT_ISSUER: 'me'
  })
  const [token = '', refreshToken = ''] = output.split('\n').filter(line => line.startsWith('eyJ'))
  t.match(createVerifier({ key: 'one', algorithms: ['HS256'], allowedIss: 'me' })(token), { userId: 7, type: 'access' })
  t.match(createVerifier({ key: 'two', algorithms: ['HS256'] })(refreshToken), { userId: 7, type: 'refresh' })
  t.throws(() => createVerifier({ key: 'two' })(token))
})

t.test('both tokens have the scopes that --scope names', async t => {
  const output = run(['--user', 'op', '--scope', 'jobs:read operator:read'], {
    TOKEN_SECRET: 'one',
    REFRESH_TOKEN_SECRET: 'two',
    WEBHOOK_SECRET_KEY: 'three'
  })
  const [token = '', refreshToken = ''] = output.split('\n').filter(line => line.startsWith('eyJ'))
  t.match(createVerifier({ key: 'one' })(token), { userId: 'op', scope: 'jobs:read operator:read' })
  t.match(createVerifier({ key: 'two' })(refreshToken), { scope: 'jobs:read operator:read' })
})

t.test('uses the secrets of the local system without secrets in the environment', async t => {
  run([])
  t.ok(existsSync(join(root, '.local', 'secrets')))
})
