// npm run token -- --user 7 [--scope 'jobs:read operator:read']: prints tokens that the local system accepts, as an
// identity provider would issue them. `tidings token --user` does the same wherever TOKEN_SECRET is known.
import { parseArgs } from 'node:util'
import { issueTokens } from '@tidings/contracts'
import { folder } from './folder.ts'
import { readEnvironment } from './system/environment.ts'
import { readSecrets } from './system/secrets.ts'
import { issuerSettings } from './system/tokens.ts'

try {
  const { values: { user, scope } } = parseArgs({
    options: { user: { type: 'string', default: '1' }, scope: { type: 'string' } }
  })
  const env = readEnvironment()
  const { token, refreshToken } = issueTokens({ userId: user, scope }, issuerSettings(readSecrets(folder, env), env))
  console.log(`token of user ${user}:\n${token}\nrefresh token of user ${user}:\n${refreshToken}`)
} catch (err) {
  console.error((err as Error).message)
  process.exitCode = 1
}
