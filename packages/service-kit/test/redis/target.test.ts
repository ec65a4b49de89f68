import t from 'tap'
import { redisTarget, redisUrl } from '../../src/index.ts'

const FORMS: Record<string, [url: string, expected: object]> = {
  'host alone': ['redis://h', { kind: 'single', nodes: [{ host: 'h', port: 6379 }], db: 0, login: {} }],
  'login and database': [
    'redis://u:p%40ss@h:1/3', { nodes: [{ host: 'h', port: 1 }], db: 3, login: { username: 'u', password: 'p@ss' } }
  ],
  'a password without a user': ['redis://:pw@h', { login: { password: 'pw' } }],
  'a password that nobody encoded': [
    'redis://:p@s/s?w@h:1', { nodes: [{ host: 'h', port: 1 }], login: { password: 'p@s/s?w' } }
  ],
  IPv6: ['redis://[::1]:6380', { nodes: [{ host: '::1', port: 6380 }] }],
  TLS: ['rediss://h', { tls: {} }],
  'TLS as Heroku has it': ['rediss://:p@h:2?ssl_cert_reqs=none', { tls: { rejectUnauthorized: false } }],
  'a socket': ['unix:///run/redis.sock?db=2', { path: '/run/redis.sock', db: 2 }],
  'both IP versions': ['redis://h?family=0', { family: 0 }],
  Cluster: ['redis+cluster://u:p@a:1,b:2,[::1]:3', {
    kind: 'cluster',
    nodes: [{ host: 'a', port: 1 }, { host: 'b', port: 2 }, { host: '::1', port: 3 }],
    login: { username: 'u', password: 'p' }
  }],
  'Cluster with TLS': ['rediss-cluster://a', { kind: 'cluster', tls: {} }],
  Sentinel: ['redis+sentinel://:p@a:1,b/main/2?sentinelPassword=s', {
    kind: 'sentinel',
    nodes: [
      { host: 'a', port: 1 }, { host: 'b', port: 26379 }
    ],
    master: 'main',
    db: 2,
    login: { password: 'p' },
    sentinelLogin: { password: 's' }
  }],
  'Sentinel as Lettuce writes it': ['redis-sentinel://a,b/1#main', { kind: 'sentinel', master: 'main', db: 1 }],
  'Sentinel with its own name': ['redis+sentinel://a', { master: 'mymaster', db: 0 }]
}

for (const [name, [url, expected]] of Object.entries(FORMS)) {
  t.test(`a Redis URL is understood: ${name}`, async t => {
    const target = redisTarget(url)
    t.match(target, expected)
    t.same(target.faults, [])
  })
}

t.test('an unusable URL is refused with a reason', async t => {
  const faultOf = (url: string) => redisTarget(url).faults.join()
  t.match(faultOf('redis://a,b'), /several hosts: write redis\+cluster/)
  t.match(faultOf('redis://h:x'), /port of h/)
  t.match(faultOf('redis://h/first'), /"first" is not a database number/)
  t.match(faultOf('redis+cluster://a/1'), /database 0 only/)
  t.match(faultOf('rediss://a?cafile=/no/such/file'), /REDIS_CA_FILE cannot be read/)
})

t.test('the single variables are combined into one URL', async t => {
  const of = (env: object) => redisUrl({ REDIS_HOST: '127.0.0.1', REDIS_PORT: 6379, ...env })
  t.equal(of({}), 'redis://127.0.0.1:6379')
  t.equal(of({ REDIS_HOST: '::1' }), 'redis://[::1]:6379')
  t.equal(of({ REDIS_PASSWORD: 'p@ss' }), 'redis://:p%40ss@127.0.0.1:6379')
  t.equal(
    of({ REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p', REDIS_TLS: true, REDIS_CA_FILE: '/ca.pem' }),
    'rediss://u:p@127.0.0.1:6379?cafile=%2Fca.pem'
  )
  t.equal(of({ REDIS_URL: 'redis+cluster://a,b', REDIS_PASSWORD: 'p' }), 'redis+cluster://:p@a,b')
  t.equal(of({ REDIS_URL: 'redis://u:q@a', REDIS_PASSWORD: 'p' }), 'redis://u:q@a')
})
