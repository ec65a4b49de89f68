import t from 'tap'
import { finalityKey, JOB_EVENTS_KEY } from '@tidings/contracts'
import { createStreamWriter, eventIdOf, formatEventId, ZERO, type EventId } from '@tidings/job-events'
import { createSql } from '@tidings/service-kit'
import { startReceiver, until } from '@tidings/testing'
import { acquireShard, shardOf } from '../../src/fan-out/shards.ts'
import { appender, eventOf, jobOf, setup, startApp, startStores, webhookCreator, type NewEvent } from '../setup.ts'

const completed = (jobId: string, userId = '1'): NewEvent => ({ type: 'completed', jobId, userId, result: 1 })

t.test('after FLUSHALL pending deliveries and new events arrive, and operators see the gap', async t => {
  const { app, append, createWebhook, redis, sql } = await setup(
    t, { WEBHOOK_RETRY_SCHEDULE: '1s,1s,1s,1s,1s,1s', LOG_LEVEL: 'silent' }
  )
  let isWell = false
  const receiver = await startReceiver(t, () => isWell ? 200 : 500)
  await createWebhook({ url: receiver.url })
  const pending = ['1', '2', '3', '4', '5', '6', '7', '8']
  await append(pending.map(jobId => completed(jobId)))
  await until(async () => (await sql`select from webhooks.attempts`).length >= pending.length)

  await redis.client().flushall()
  isWell = true
  const before = receiver.requests.length
  await appender(redis)([completed('new'), completed('newer')])
  await until(
    async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === pending.length + 2
  )
  t.same(
    new Set(receiver.requests.slice(before).map(({ json }) => (json as { id: string }).id)),
    new Set([...pending, 'new', 'newer'])
  )
  const [gap] = await sql`select shard, reason from webhooks.gaps`
  t.same({ ...gap }, { shard: 0, reason: 'epoch' })
  t.match(await app.metricsRegistry.metrics(), /tidings_webhook_fan_out_gaps_total\{reason="epoch"\} 1/)
})

t.test('an end published again is delivered only where the first one lay in a gap', async t => {
  const { append, createWebhook, redis, sql } = await setup(t)
  const receiver = await startReceiver(t)
  await createWebhook({ url: receiver.url })
  await append([completed('1'), completed('2')])
  await receiver.waitFor(2)
  const again = (jobId: string) => ({ ...completed(jobId), reconciled: true as const })
  await append([again('1'), completed('3')])
  const received = async (n: number) => (await receiver.waitFor(n)).map(({ json }) => (json as { id: string }).id)
  t.same((await received(3)).toSorted(), ['1', '2', '3'])

  const [, second] = await redis.client().xrange(JOB_EVENTS_KEY, '-', '+')
  const { ms, seq } = eventIdOf(second?.[0] as string)
  await sql`insert into webhooks.gaps (shard, reason, from_ms, from_seq, to_ms, to_seq) values (0, 'trimmed', 1, 0, ${ms}, ${seq})`
  await append([again('2'), again('2'), completed('4')])
  t.same((await received(5)).toSorted(), ['1', '2', '2', '3', '4'], 'once more, however often it is repeated')
})

t.test('ends that come again after a loss of data reach who has not got them, once', async t => {
  const { append, createWebhook, redis } = await setup(t)
  const receiver = await startReceiver(t)
  await createWebhook({ url: receiver.url })
  const stream = createStreamWriter(redis.client())
  await append([{ ...completed('1'), timestamp: 5 }])
  await receiver.waitFor(1)
  // The next one is lost before it is read, and new events come before it is published again.
  const { ms } = await stream.last() as EventId
  const lostId = { ms: ms + 1000, seq: 0 }
  await stream.open({ ms: ms + 2000, seq: 0 })
  await append([completed('2')])
  await receiver.waitFor(2)
  await redis.client().del(finalityKey('default', '1'))
  const again = async (jobId: string, id: EventId | '?') => {
    const from = await stream.position('default')
    const events = [eventOf({ ...completed(jobId), timestamp: 5, reconciled: true })]
    await stream.append({ queue: 'default', from, to: from, events, minimumId: ZERO, repeated: () => ({ id, at: 5 }) })
    await redis.client().del(finalityKey('default', jobId))
  }
  for (let n = 0; n < 2; n++) {
    await again('lost', lostId)
    await again('1', '?') // it was delivered, and nobody knows its id
    await again('unknown', '?')
  }
  await append([completed('3')])
  const received = (await receiver.waitFor(5)).map(({ json }) => (json as { id: string }).id)
  t.same(received.toSorted(), ['1', '2', '3', 'lost', 'unknown'])
})

t.test('without Redis pending deliveries continue, and reading resumes with it', async t => {
  const { append, createWebhook, redis, app } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '1s', LOG_LEVEL: 'silent' })
  let failures = 1
  const receiver = await startReceiver(t, () => failures-- > 0 ? 500 : 200)
  await createWebhook({ url: receiver.url })
  await append([completed('1')])
  await receiver.waitFor(1)
  await redis.stop()
  await receiver.waitFor(2)
  const ready = await until(async () => {
    const answer = await app.inject('/readyz')
    return answer.json().status === 'degraded' && answer
  })
  t.match([ready.statusCode, ready.json()], [200, { degraded: { redis: String } }])

  await redis.restart()
  await append([completed('2')])
  t.same((await receiver.waitFor(3)).map(({ json }) => (json as { id: string }).id), ['1', '1', '2'])
})

t.test('an event of an unknown version halts the reader, makes it unready, and is never skipped', async t => {
  const { app, append, createWebhook, redis } = await setup(t, { LOG_LEVEL: 'silent' })
  const receiver = await startReceiver(t)
  await createWebhook({ url: receiver.url })
  await append([completed('1')])
  await receiver.waitFor(1)
  await append([{ ...completed('2'), v: 2 }])
  await append([completed('3')])
  await until(async () => (await app.inject('/readyz')).statusCode === 503)
  t.match((await app.inject('/readyz')).json(), { faults: { 'fan-out': /version 2/ } })
  t.equal(receiver.requests.length, 1)

  const client = redis.client()
  const [[newer]] = await client.xrevrange(
    JOB_EVENTS_KEY, '+', '-', 'COUNT', 2
  ).then(entries => entries.slice(1)) as [[string]]
  await client.xdel(JOB_EVENTS_KEY, newer)
  t.same(
    (await receiver.waitFor(2)).map(({ json }) => (json as { id: string }).id),
    ['1', '3'],
    'it goes on once the event is removed'
  )
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
})

t.test('a shard with an event of a newer release is released to a replica that can read it', async t => {
  const stores = await startStores(t)
  const settings = { LOG_LEVEL: 'silent' }
  const replicas = await Promise.all([startApp(t, stores, settings), startApp(t, stores, settings)])
  const append = appender(stores.redis)
  const receiver = await startReceiver(t)
  await webhookCreator(stores.sql)({ url: receiver.url })
  await append([completed('1')])
  const [request] = await receiver.waitFor(1)
  await append([{ ...completed('2'), v: 2 }])
  await append([completed('3')])

  // The second can only have met the event because the first gave it the shard.
  for (const app of replicas) {
    await until(async () => (await app.inject('/readyz')).statusCode === 503)
    t.match((await app.inject('/readyz')).json(), { faults: { 'fan-out': /version 2/ } })
  }
  await until(async () => (await stores.sql`select from webhooks.shard_positions where worker_id is null`).length === 1)
  const [newer] = await stores.sql<{ id: string }[]>`insert into webhooks.workers (host, lease_until) values ('newer', now() + interval '1 minute') returning id`
  const position = await acquireShard(replicas[0].sql, { shard: 0, shards: 1, workerId: Number(newer?.id) })
  t.equal(position && formatEventId(position), request?.headers['webhook-id'], 'the newer one reads on right there')
  t.equal(receiver.requests.length, 1)
})

t.test('only shards with such an event are released', async t => {
  const { app, append, createWebhook, sql } = await setup(t, { INGEST_SHARDS: '2', LOG_LEVEL: 'silent' })
  const [met, other] = [0, 1].map(
    shard => ['1', '2', '3', '4'].find(userId => shardOf(userId, 2) === shard)
  ) as [string, string]
  const receiver = await startReceiver(t)
  for (const userId of [met, other]) await createWebhook({ url: receiver.url, userId })
  await until(async () => (await sql`select from webhooks.shard_positions where worker_id is not null`).length === 2)
  await append([{ ...completed('1', met), v: 2 }])
  await until(async () => (await sql`select from webhooks.shard_positions where worker_id is null`).length === 1)
  t.equal((await app.inject('/readyz')).statusCode, 503)
  await append([completed('2', met), completed('3', other)])
  t.same((await receiver.waitFor(1)).map(({ json }) => (json as { id: string }).id), ['3'])
  t.same((await sql`select shard from webhooks.shard_positions where worker_id is null`).map(({ shard }) => shard), [0])
})

t.test('shards are shared between replicas, taken over from one that ends, and keep each user\'s order', async t => {
  const stores = await startStores(t)
  const settings = { INGEST_SHARDS: '4' }
  const [one] = await Promise.all([startApp(t, stores, settings), startApp(t, stores, settings)])
  const append = appender(stores.redis)
  const receiver = await startReceiver(t)
  const users = Array.from({ length: 8 }, (_, i) => String(i))
  for (const userId of users) await webhookCreator(stores.sql)({ url: receiver.url, userId })
  const holders = () => stores.sql<{ worker_id: string }[]>`
    select distinct p.worker_id from webhooks.shard_positions p join webhooks.workers c on c.id = p.worker_id`
  await until(async () => (await holders()).length === 2)

  const jobs = users.map(userId => jobOf(userId, 30, { userId }))
  await append(jobs.flatMap(events => events.slice(0, 15)))
  await one.close()
  await append(jobs.flatMap(events => events.slice(15)))

  await receiver.waitFor(31 * users.length)
  for (const userId of users) {
    const received = receiver.requests.map(
      ({ json }) => json as { id: string, progress?: number }
    ).filter(({ id }) => id === userId)
    t.same(received.map(({ progress }) => progress), [...Array.from({ length: 30 }, (_, i) => i + 1), undefined])
  }
  t.equal((await holders()).length, 1)
})

t.test('no event is missed when the number of shards changes', async t => {
  const stores = await startStores(t)
  const append = appender(stores.redis)
  const receiver = await startReceiver(t)
  const first = await startApp(t, stores)
  await webhookCreator(stores.sql)({ url: receiver.url })
  await append([completed('1')])
  await until(async () => (await stores.sql`select from webhooks.deliveries`).length === 1)
  await first.close()
  await append([completed('2')])
  await startApp(t, stores, { INGEST_SHARDS: '3' })
  await until(async () => (await stores.sql`select from webhooks.deliveries where state = 'delivered'`).length === 2)
  t.equal((await stores.sql`select from webhooks.shard_positions`).length, 3)
})

t.test('a replica started with another number acquires none', async t => {
  const stores = await startStores(t)
  await (await startApp(t, stores, { INGEST_SHARDS: '3' })).close()
  const sql = createSql(stores.url, { max: 1 })
  t.teardown(() => sql.end({ timeout: 1 }))
  t.equal(await acquireShard(sql, { shard: 0, shards: 1, workerId: 1_000_000 }), undefined)
  t.type(await acquireShard(sql, { shard: 0, shards: 3, workerId: 1_000_000 }), 'object')
})
