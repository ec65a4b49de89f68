import { Redis } from 'ioredis'
import t from 'tap'
import { startRedis, startRedisWithTls, until } from '@tidings/testing'
import { startChannels } from './all-channels.ts'
import { startServices } from './three-services.ts'

t.test('all channels work over TLS with a private CA, a user and a password in variables, and a prefix', async t => {
  const tls = await startRedisWithTls(t)
  await tls.redis.client().call('ACL', 'SETUSER', 'ours', 'on', '>p@ss', '~*', '&*', '+@all')
  const connection = new Redis(tls.redis.url, { maxRetriesPerRequest: null })
  connection.on('error', () => {})
  const runJob = await startChannels(t, {
    REDIS_HOST: 'localhost',
    REDIS_PORT: String(tls.port),
    REDIS_TLS: 'true',
    REDIS_CA_FILE: tls.caFile,
    REDIS_USERNAME: 'ours',
    REDIS_PASSWORD: 'p@ss',
    JOB_QUEUES: 'default,{acme}:reports'
  }, { connection, name: 'reports', options: { prefix: '{acme}' } })
  const { jobId, result } = await runJob('reports')
  t.same(result, { of: jobId })
})

t.test('credentials that Redis refuses make the services unready, with the reason', async t => {
  const redis = await startRedis(t, { settings: { requirepass: 'right' } })
  const admin = redis.client({ password: 'right' })
  await admin.call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '&*', '+@all', '-@write')
  const logins = { ':wrong@': /WRONGPASS/, '': /NOAUTH/, 'reader:pw@': /can't run this command/ }
  await Promise.all(Object.entries(logins).map(async ([login, reason]) => {
    const { urls } = await startServices(t, { REDIS_URL: redis.url.replace('://', `://${login}`) })
    for (const url of Object.values(urls)) {
      const faults = await until(async () => {
        const response = await fetch(`${url}/readyz`)
        return response.status === 503 && (await response.json() as { faults: Record<string, string> }).faults
      })
      t.match(faults['redis-access'], reason, `${url} ${login}`)
    }
  }))
})
