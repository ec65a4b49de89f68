import { randomBytes } from 'node:crypto'
import t from 'tap'
import { JOB_EVENTS_KEY } from '@tidings/contracts'
import { startReceiver, until } from '@tidings/testing'
import { setup, type NewEvent } from '../setup.ts'

const completed = (
  jobId: string, more: Partial<NewEvent> = {}
): NewEvent => ({ type: 'completed', jobId, result: 1, ...more })
const idsOf = (requests: { json: unknown }[]) => requests.map(({ json }) => (json as { id: string }).id)

t.test('an entry that cannot be delivered is recorded and skipped, the entries around it are delivered', async t => {
  const { app, append, createWebhook, redis, sql } = await setup(t, { LOG_LEVEL: 'silent' })
  const receiver = await startReceiver(t)
  await createWebhook({ url: receiver.url })
  const client = redis.client()
  const event = (more: object) => JSON.stringify({
    v: 1,
    type: 'completed',
    queue: 'default',
    jobId: 'bad',
    name: 'report',
    userId: '1',
    timestamp: 1,
    result: 1,
    ...more
  })
  const junk: string[][] = [
    ['nothing', 'known'],
    ['u', '1', 'd', '{'],
    ['u', '1', 'd', 'null'],
    ['u', '1', 'd', event({ userId: '2' })],
    ['u', '1', 'd', event({ queue: 7 })],
    ['u', 'a\0b', 'd', event({ userId: 'a\0b', webhookUrl: receiver.url })],
    ['u', '1', 'd', event({ webhookUrl: `${receiver.url}/\0` })]
  ]
  const long = randomBytes(20_000).toString('hex')
  junk.push(['u', long, 'd', event({ userId: long, webhookUrl: receiver.url })])
  const expected: string[] = []
  for (const [n, fields] of junk.entries()) {
    await append([completed(`before-${n}`)])
    await client.xadd(JOB_EVENTS_KEY, '*', ...fields)
    await append([completed(`after-${n}`)])
    expected.push(`before-${n}`, `after-${n}`)
  }
  await receiver.waitFor(requests => expected.every(id => idsOf(requests).includes(id)))
  t.same(idsOf(receiver.requests).filter(id => id !== 'bad').toSorted(), expected.toSorted(), 'each once')
  await until(async () => (await sql`select from webhooks.skipped_events`).length === junk.length)
  const metrics = await app.metricsRegistry.metrics()
  t.match(metrics, /tidings_webhook_fan_out_skipped_total\{reason="malformed"\} 5/)
  t.match(metrics, /tidings_webhook_fan_out_skipped_total\{reason="refused"\} 3/)
  t.equal((await app.inject('/readyz')).statusCode, 200)
})

t.test('a batch that Postgres refuses is halved until the bad event is found', async t => {
  const { append, createWebhook, sql } = await setup(t, { LOG_LEVEL: 'silent', WEBHOOK_RETRY_SCHEDULE: '1h' })
  const receiver = await startReceiver(t, () => 500)
  await createWebhook({ url: receiver.url })
  // What waits of it would be longer than an index takes.
  const long = randomBytes(8000).toString('hex')
  await append([
    ...Array.from({ length: 50 }, (_, i) => completed(`a${i}`)),
    completed(long),
    ...Array.from({ length: 50 }, (_, i) => completed(`b${i}`))
  ])
  await until(async () => (await sql`select from webhooks.deliveries where state = 'pending'`).length === 100)
  t.match(await sql`select reason from webhooks.skipped_events`, [{ reason: /index row/ }])
  const [position] = await sql`select event_ms from webhooks.shard_positions`
  t.ok(Number(position?.event_ms) > 0)
  await append([completed('c')])
  await until(async () => (await sql`select from webhooks.deliveries where chain = 'default:c'`).length === 1)
})

t.test('a shard that stalls while the stream advances makes its replica unready', async t => {
  const { app, append, createWebhook, sql } = await setup(t, { LOG_LEVEL: 'silent', STALL_TIMEOUT_MS: '1500' })
  const receiver = await startReceiver(t)
  await createWebhook({ url: receiver.url })
  await append([completed('1')])
  await receiver.waitFor(1)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 1)
  await sql.unsafe(`
    create function public.refuse () returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
    create trigger refused before insert on webhooks.events for each row execute function public.refuse();`)
  await append([completed('2')])
  const { faults } = await until(async () => {
    const answer = await app.inject('/readyz')
    return answer.statusCode === 503 && answer.json()
  })
  t.match(faults['fan-out stall'], /is stalled at 0 \d+-\d+ .*not now/)
  await sql`drop trigger refused on webhooks.events`
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 2)
})
