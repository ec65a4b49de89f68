import t from 'tap'
import { ConfigError } from '@tidings/service-kit'
import { loadConfig } from '../src/config.ts'

const given = { TOKEN_SECRET: 'secret' }

t.test('its own port takes precedence over PORT, and PORT over 4002', async t => {
  t.equal(loadConfig(given).port, 4002)
  t.equal(loadConfig({ ...given, PORT: '5000' }).port, 5000)
  t.equal(loadConfig({ ...given, PORT: '5000', REALTIME_GATEWAY_PORT: '6000' }).port, 6000)
})

t.test('all faults are reported at once', async t => {
  t.throws(() => loadConfig({ REALTIME_GATEWAY_PORT: 'x', JOBS_API_URL: 'ftp://here', REALTIME_MAX_SESSIONS: '0' }), {
    constructor: ConfigError,
    message: /(?=[^]*REALTIME_GATEWAY_PORT)(?=[^]*JOBS_API_URL)(?=[^]*REALTIME_MAX_SESSIONS)/
  })
})
