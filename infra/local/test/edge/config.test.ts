import { join } from 'node:path'
import t from 'tap'
import { readEdgeConfig } from '../../src/edge/config.ts'
import { root } from '../../src/root.ts'

const env = {
  JOBS_API_URL: 'http://a:1',
  REALTIME_GATEWAY_URLS: 'http://b:1, http://b:2',
  WEBHOOK_DISPATCHER_URL: 'http://c:1'
}

t.test('listens on localhost:4000 by default', async t => {
  t.same(readEdgeConfig(env), {
    host: 'localhost',
    port: 4000,
    logLevel: 'info',
    jobsApi: 'http://a:1',
    gateways: ['http://b:1', 'http://b:2'],
    dispatcher: 'http://c:1',
    dashboard: {
      folder: join(root, 'packages', 'dashboard', 'dist', 'web'),
      base: '/dashboard/',
      env: {
        DASHBOARD_BASE: '',
        DASHBOARD_TITLE: '',
        DASHBOARD_LOGO: '',
        DASHBOARD_ACCENT: '',
        DASHBOARD_ENVIRONMENT: '',
        DASHBOARD_SIGN_IN_URL: '',
        DASHBOARD_FRAME_ANCESTORS: '',
        DASHBOARD_SECTIONS: ''
      },
      frameAncestors: '\'none\''
    },
    holdMs: 10_000,
    heldMax: 1000,
    NODE_ENV: 'development'
  })
  t.match(readEdgeConfig({ ...env, HOST: '0.0.0.0', PORT: '5000', LOG_LEVEL: 'debug' }), {
    host: '0.0.0.0',
    port: 5000,
    logLevel: 'debug'
  })
})

t.test('reports all faults at once', async t => {
  t.throws(() => readEdgeConfig({
    ...env,
    JOBS_API_URL: 'nonsense',
    WEBHOOK_DISPATCHER_URL: undefined,
    PORT: '99999',
    LOG_LEVEL: 'loud',
    DASHBOARD_BASE: 'tidings',
    DASHBOARD_FRAME_ANCESTORS: 'https://a; script-src *',
    DASHBOARD_SECTIONS: 'jobs,all'
  }), {
    message: /JOBS_API_URL must be a URL, not "nonsense"[^]*WEBHOOK_DISPATCHER_URL must be a URL, but is not set[^]*DASHBOARD_BASE must be a path[^]*DASHBOARD_FRAME_ANCESTORS must be origins[^]*DASHBOARD_SECTIONS must be some of[^]*PORT must be a port[^]*LOG_LEVEL must be one of/
  })
})
