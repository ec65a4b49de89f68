import t from 'tap'
import { createTokenVerifier, issueTokens, SCOPES } from '../../src/index.ts'

const TOKEN_SECRET = 'a secret of these tests'
const settings = { TOKEN_SECRET, JWT_ISSUER: 'here', JWT_AUDIENCE: 'there' }

t.test('tokens have the claims that the services check', async t => {
  const verify = createTokenVerifier(settings)
  const { token, refreshToken } = issueTokens({ userId: '7', scope: 'operator:read, jobs:read' }, settings)
  t.match(await verify(token), { userId: '7', scopes: SCOPES.filter(scope => /:read$/.test(scope) && !/^web/.test(scope)) })
  t.equal(refreshToken, undefined, 'without a secret for it')
  t.ok(issueTokens({ userId: '7' }, { ...settings, REFRESH_TOKEN_SECRET: 'another secret' }).refreshToken)
})

t.test('what the services would refuse, or ignore, is refused', async t => {
  t.throws(() => issueTokens({ userId: '7' }, {}), { message: /^TOKEN_SECRET is not set/ })
  for (const userId of ['', 'x'.repeat(129), '\n']) t.throws(() => issueTokens({ userId }, settings), { message: /printable/ })
  for (const scope of ['jobs:raed', 'jobs:read all', '']) {
    t.throws(() => issueTokens({ userId: '7', scope }, settings), { name: 'TypeError', message: /^The scopes are jobs:read/ })
  }
})
