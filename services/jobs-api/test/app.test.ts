import t from 'tap'
import { setup, startApp, startServers } from './setup.ts'

t.test('migrates at start, once for all replicas that start together', async t => {
  const { env, database } = await startServers(t)
  await Promise.all([startApp(t, env), startApp(t, env)])
  const tables = await database.sql`select table_name from information_schema.tables where table_schema = 'jobs'`
  for (const name of ['jobs', 'positions', 'counts', 'timeline', 'results']) {
    t.ok(tables.some(({ table_name: table }) => table === name), `there is jobs.${name}`)
  }
})

t.test('is ready, and opens a queue for each of JOB_QUEUES', async t => {
  const { app } = await setup(t, { JOB_QUEUES: 'default, reports' })
  t.equal((await app.inject('/readyz')).statusCode, 200)
  t.same(app.queueNames, ['default', 'reports'])
  t.equal(app.findQueue('reports').name, 'reports')
  t.throws(() => app.findQueue('other'), RangeError)
})
