import t from 'tap'
import { Type } from 'typebox'
import { commonSettings, egressRules, egressSettings, readConfig } from '../../src/index.ts'

const Settings = Type.Object({ ...commonSettings, ...egressSettings })
const rulesOf = (env: Record<string, string>) =>
  egressRules(readConfig(Settings, { TOKEN_SECRET: 'x'.repeat(32), ...env }))

t.test('public addresses and any port are allowed; in production only https', async t => {
  t.same(rulesOf({}), { allowPrivate: false, requireHttps: false, ports: undefined })
  t.same(rulesOf({ NODE_ENV: 'production' }), { allowPrivate: false, requireHttps: true, ports: undefined })
})

t.test('each rule can be overridden', async t => {
  const env = {
    NODE_ENV: 'production', WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_REQUIRE_HTTPS: 'false', WEBHOOK_PORTS: '443,8443'
  }
  t.same(rulesOf(env), { allowPrivate: true, requireHttps: false, ports: [443, 8443] })
  t.throws(() => rulesOf({ WEBHOOK_PORTS: 'https' }), /WEBHOOK_PORTS/)
})
