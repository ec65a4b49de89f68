import t from 'tap'
import { JOB_EVENTS_KEY } from '@tidings/contracts'
import { createSql } from '@tidings/service-kit'
import { holding, startReceiver, until, waitForBlocked } from '@tidings/testing'
import { setup } from '../setup.ts'

t.test('an event waits behind a failure that its batch could not see in Postgres', async t => {
  const { app, append, createWebhook, redis, sql, url } = await setup(
    t, { WEBHOOK_RETRY_SCHEDULE: '1h', WEBHOOK_TIMEOUT_MS: '60000', LOG_LEVEL: 'silent' }
  )
  const own = createSql(url, { max: 3 })
  t.teardown(() => own.end({ timeout: 1 }))
  const firstResponse = Promise.withResolvers<number>()
  const receiver = await startReceiver(t, () => receiver.requests.length === 1 ? firstResponse.promise : 200)
  await createWebhook({ url: receiver.url })
  const deliveries = async () => await sql<{ attempts: number, claim: string | null }[]>`
    select attempts, claim from webhooks.deliveries order by event_ms, event_seq`

  // The lock below would hold up a dispatcher that has not taken its shards yet.
  await until(async () => {
    const shards = await sql<{ worker_id: number | null }[]>`select worker_id from webhooks.shard_positions`
    return shards.length > 0 && shards.every(shard => shard.worker_id !== null)
  })
  // The row of the first event is not written while its attempt is in flight.
  const writeFirst = await holding(t, own, async tx => await tx`select from webhooks.shard_positions for update`)
  await append([{ type: 'completed', jobId: '1', result: 'first' }])
  await receiver.waitFor(1)
  await waitForBlocked(own, 1)

  // The second event is read with an entry that is skipped: its batch goes on only when the skip is recorded, and has
  // looked for pending deliveries in Postgres by then.
  const planSecond = await holding(t, own, async tx => await tx`lock table webhooks.skipped_events in exclusive mode`)
  const second = {
    v: 1, type: 'completed', queue: 'default', jobId: '1', name: 'report', userId: '1', timestamp: 1, result: 'second'
  }
  await redis.client().multi()
    .xadd(JOB_EVENTS_KEY, '*', 'u', '1', 'd', JSON.stringify(second))
    .xadd(JOB_EVENTS_KEY, '*', 'u', '1', 'd', '{')
    .exec()
  await waitForBlocked(own, 2)

  // Now the row is written, and then the attempt fails.
  await writeFirst()
  await until(async () => /fan_out_batches_total\{outcome="written"\} 1/.test(await app.metricsRegistry.metrics()))
  t.match(await deliveries(), [{ attempts: 0, claim: String }])
  firstResponse.resolve(500)
  await until(async () => (await deliveries())[0]?.attempts === 1)

  await planSecond()
  await until(async () => (await deliveries()).length === 2, { what: 'the row of the second event' })
  t.match(await deliveries(), [{ attempts: 1, claim: null }, { attempts: 0, claim: null }], 'it was not sent')
  t.equal(receiver.requests.length, 1)

  await sql`update webhooks.deliveries set due_at = now()`
  const results = (await receiver.waitFor(3)).map(({ json }) => (json as { result: string }).result)
  t.same(results, ['first', 'first', 'second'])
})

t.test('an event waits behind an older one of its job that waits for its retry', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '1h', LOG_LEVEL: 'silent' })
  const receiver = await startReceiver(t, () => receiver.requests.length === 1 ? 500 : 200)
  await createWebhook({ url: receiver.url })
  const untilWritten = async (count: number) => await until(async () =>
    (await sql`select from webhooks.deliveries where claim is null`).length === count, { what: `${count} rows` })
  await append([{ type: 'failed', jobId: '1', error: 'first' }])
  await untilWritten(1)
  // The shard knows what its last batch left behind: after another one only Postgres does.
  await append([{ type: 'completed', jobId: '2', result: 'between' }])
  await untilWritten(2)
  await append([{ type: 'waiting', jobId: '1', reopened: true }, { type: 'completed', jobId: '1', result: 'second' }])
  await untilWritten(3)
  t.equal(receiver.requests.length, 2, 'it was not sent')

  await sql`update webhooks.deliveries set due_at = now() where state = 'pending'`
  const ofFirst = (await receiver.waitFor(4)).map(({ json }) => json as { id: string, eventType: string })
    .filter(({ id }) => id === '1')
  t.same(ofFirst.map(({ eventType }) => eventType), ['failed', 'failed', 'completed'])
})
