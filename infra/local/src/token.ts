// npm run token -- --user 7 [--scope 'jobs:read operator:read']: prints tokens that the local system accepts, as an
// identity provider would issue them. `tidings token --user` does the same wherever TOKEN_SECRET is known.
import { issueTokens, SCOPES } from '@tidings/contracts'
import { readCommandLine } from '@tidings/service-kit/command-line'
import { folder } from './folder.ts'
import { readEnvironment } from './system/environment.ts'
import { readSecrets } from './system/secrets.ts'
import { issuerSettings } from './system/tokens.ts'

const { values: { user, scope } } = readCommandLine({
  usage: `
Prints an access token and a refresh token that the local system accepts.

  npm run token -- [--user ID] [--scope 'SCOPE …']

  --user ID     whose tokens: 1 by default
  --scope TEXT  scopes, separated by spaces: ${SCOPES.join(', ')}; by default those of a user's own data
`,
  options: { user: { type: 'string', default: '1' }, scope: { type: 'string' } }
})

try {
  const env = readEnvironment()
  const { token, refreshToken } = issueTokens({ userId: user, scope }, issuerSettings(readSecrets(folder, env), env))
  console.log(`token of user ${user}:\n${token}\nrefresh token of user ${user}:\n${refreshToken}`)
} catch (err) {
  console.error((err as Error).message)
  process.exitCode = 1
}
