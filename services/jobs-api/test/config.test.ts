import t from 'tap'
import { ConfigError } from '@tidings/service-kit'
import { loadConfig } from '../src/config.ts'

const env = { TOKEN_SECRET: 'one', REFRESH_TOKEN_SECRET: 'two', DATABASE_URL: 'postgres://localhost/tidings' }

t.test('every variable has a default, except for secrets and the database', async t => {
  const { port, queues, JOB_RETENTION_DAYS, LOST_JOBS } = loadConfig(env)
  t.same({ port, queues, JOB_RETENTION_DAYS, LOST_JOBS }, {
    port: 4001, queues: ['default'], JOB_RETENTION_DAYS: 30, LOST_JOBS: 'fail'
  })
})

t.test('the port is JOBS_API_PORT, else PORT', async t => {
  t.equal(loadConfig({ ...env, PORT: '5000' }).port, 5000)
  t.equal(loadConfig({ ...env, PORT: '5000', JOBS_API_PORT: '6000' }).port, 6000)
})

t.test('the list of queues is parsed', async t => {
  t.same(loadConfig({ ...env, JOB_QUEUES: ' a, b,,a ' }).queues, ['a', 'b'])
})

t.test('one message lists all faults', async t => {
  const faulty = { ...env, REFRESH_TOKEN_SECRET: 'one', JOB_QUEUES: 'a b' }
  t.throws(() => loadConfig(faulty), ConfigError)
  t.throws(() => loadConfig(faulty), /REFRESH_TOKEN_SECRET must differ[\s\S]*"a b" is not a valid queue name/)
  t.throws(() => loadConfig({ ...env, JOB_QUEUES: ',' }), /JOB_QUEUES must contain a queue/)
})
