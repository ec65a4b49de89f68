import t from 'tap'
import postgres from 'postgres'
import { startPostgres, startReceiver, startRedis, startStandby, until, withoutStandby } from '@tidings/testing'
import { appender, environment, startApp, startStores, webhookCreator } from '../../setup.ts'

const end = (jobId: string) => [{ type: 'completed' as const, jobId, result: jobId }]

t.test('deliveries that Postgres has lost in a fail-over are made again, though nothing happens', {
  skip: withoutStandby
}, async t => {
  const [primary, redis] = await Promise.all([startPostgres(t), startRedis(t)])
  const standby = await startStandby(t, primary)
  const { host } = new URL(primary.url)
  const url = primary.url.replace(host, `${host},127.0.0.1:${standby.port}`)
  const [sql, restored] = [primary.url, standby.url].map(url => postgres(url, { max: 2, onnotice: () => {} })) as
    [postgres.Sql, postgres.Sql]
  t.teardown(() => Promise.all([sql, restored].map(one => one.end({ timeout: 1 }))))
  const app = await startApp(t, { url, sql, redis, env: environment(url, redis) }, {
    WEBHOOK_LEASE: '10m', WEBHOOK_TIMEOUT_MS: '60000', LOG_LEVEL: 'silent'
  })
  const append = appender(redis)
  const hanging = Promise.withResolvers<void>()
  const first = await startReceiver(t, async () => {
    await hanging.promise
    return 200
  })
  const second = await startReceiver(t)
  const webhook = await webhookCreator(sql)({ url: first.url })
  await append(end('a'))
  await first.waitFor(1)
  await until(async () => (await sql`select from webhooks.deliveries where claim is not null`).length === 1, {
    what: 'the row to be held'
  })
  await standby.cutOff()

  const delivered = async (from: postgres.Sql) => (await from<{ chain: string }[]>`
    select chain from webhooks.deliveries where state = 'delivered' order by chain`).map(({ chain }) => chain)
  hanging.resolve()
  await append(end('b'))
  await until(async () => (await delivered(sql)).length === 2, { what: 'a and b to be delivered' })
  await sql`update webhooks.webhooks set url = ${second.url}, updated_at = now() where id = ${webhook}`
  await append(end('c'))
  await until(async () => (await delivered(sql)).length === 3, { what: 'c to be delivered' })
  t.same([first, second].map(({ requests }) => requests.length), [2, 1])
  const { workerId } = app.delivery.lease

  await primary.kill()
  await standby.promote()
  await until(async () => (await delivered(restored)).length === 3, { what: 'all to be delivered again' })
  t.not(app.delivery.lease.workerId, workerId)
  t.equal((await restored`select from webhooks.workers where id = ${workerId as number}`).length, 0)
  await append(end('d'))
  await until(async () => (await delivered(restored)).length === 4, { what: 'd to be delivered' })
  const jobs = first.requests.map(({ json }) => (json as { id: string }).id)
  t.same(jobs, ['a', 'b', 'a', 'b', 'c', 'd'], 'as the webhook is now: its change is lost too')
  const ids = first.requests.map(({ headers }) => headers['webhook-id'])
  t.same([ids[2], ids[3], ids[4]], [ids[0], ids[1], second.requests[0]?.headers['webhook-id']], 'under their ids')
  t.equal(second.requests.length, 1)
})

t.test('a shard whose position is lost begins again', async t => {
  const stores = await startStores(t)
  const app = await startApp(t, stores)
  const positions = async () => await stores.sql`select from webhooks.shard_positions where worker_id is not null`
  const { length } = await until(async () => {
    const all = await positions()
    return all.length > 0 && all
  }, { what: 'the shards to be read' })
  await stores.sql`delete from webhooks.shard_positions`
  app.delivery.lease.abandon()
  await until(async () => (await positions()).length === length, { what: 'the shards to be read again' })
})
