import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { setup, type NewEvent } from '../setup.ts'

const URLS = 1000
const jobs = (of: string, count: number, urlOf: (n: number) => string): NewEvent[] =>
  Array.from({ length: count }, (_, i) => ({ type: 'completed', jobId: `${of}-${i}`, result: i, webhookUrl: urlOf(i) }))

t.test('the webhookUrls of jobs at one origin are one hidden webhook, and each gets its own completion', async t => {
  const { append, sql } = await setup(t)
  const receiver = await startReceiver(t)
  await append(jobs('well', URLS, n => `${receiver.url}/${n}?of=well`))
  await receiver.waitFor(URLS)
  t.ok(receiver.requests.every(({ url, json }) => url === `/${(json as { result: number }).result}?of=well`))
  t.equal((await sql`select from webhooks.webhooks where kind = 'job'`).length, 1)
})

t.test('each event that the relay gives a webhookUrl is delivered there, in order, the first one too', async t => {
  const { append, sql } = await setup(t)
  const receiver = await startReceiver(t)
  const webhookUrl = `${receiver.url}/mine`
  await append([
    { type: 'progress', jobId: 'all', progress: 1, webhookUrl },
    { type: 'progress', jobId: 'all', progress: 2, webhookUrl },
    { type: 'completed', jobId: 'all', result: 3, webhookUrl },
    { type: 'progress', jobId: 'failed', progress: 1 },
    { type: 'failed', jobId: 'failed', error: 'no', webhookUrl }
  ])
  const bodies = (await receiver.waitFor(4)).map(({ json }) => json as { id: string, eventType: string })
  const typesOf = (job: string) => bodies.filter(({ id }) => id === job).map(({ eventType }) => eventType)
  t.same(typesOf('all'), ['progress', 'progress', 'completed'])
  t.same(typesOf('failed'), ['failed'])
  t.equal((await sql`select from webhooks.webhooks where kind = 'job'`).length, 1)
})

t.test('a hidden webhook of the release before, which names completions, receives the other events too', async t => {
  const { append, sql } = await setup(t)
  const receiver = await startReceiver(t)
  await append(jobs('old', 1, () => receiver.url))
  await receiver.waitFor(1)
  await sql`update webhooks.webhooks set event_type = 'completed'`
  await append([{ type: 'failed', jobId: 'failed', error: 'no', webhookUrl: receiver.url }])
  t.match((await receiver.waitFor(2))[1]?.json, { id: 'failed', eventType: 'failed' })
})

t.test('they share its health: a dead origin gets as few attempts as a single URL', async t => {
  const { append, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '20ms,1h', WEBHOOK_TIMEOUT_MS: '100' })
  const receiver = await startReceiver(t, () => 503)
  await append(jobs('dead', 70, n => `${receiver.url}/${n}`))
  await until(async () => (await sql`select from webhooks.deliveries where state = 'pending'`).length === 70)
  t.ok(receiver.requests.length < 10, `${receiver.requests.length} POSTs`)
  receiver.handle(() => 200)
  await sql`update webhooks.deliveries set due_at = now() where state = 'pending'`
  await receiver.waitFor(requests => new Set(requests.map(({ url }) => url)).size === 70, { what: 'a POST to each' })
})

t.test('a URL that is gone ends for itself alone', async t => {
  const { append, sql } = await setup(t, { WEBHOOK_RECOVERY_WINDOW: '0' })
  const receiver = await startReceiver(t, ({ url }) => url === '/0' ? 410 : 200)
  await append(jobs('some', 5, n => `${receiver.url}/${n}`))
  await until(async () => (await sql`select from webhooks.deliveries where finished_at is not null`).length === 5)
  t.match(await sql`select status, open_until from webhooks.webhooks`, [{ status: 'active', open_until: null }])
  t.equal((await sql`select from webhooks.deliveries where state = 'failed' and status = 410`).length, 1)
})

t.test('hidden webhooks of a user are limited: the longest idle are deleted', async t => {
  const { append, sql } = await setup(t)
  const receiver = await startReceiver(t)
  await sql`
    insert into webhooks.webhooks (user_id, kind, url, event_type, since_ms, since_seq)
    select '1', 'job', 'http://idle-' || n, 'completed', 0, 0 from generate_series(1, 150) as n`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    select id, id, 0, 'completed', 'default:x', 'delivered', now() from webhooks.webhooks`
  await append(jobs('new', 1, () => `${receiver.url}/hook`))
  await receiver.waitFor(1)
  const left = await sql`select url from webhooks.webhooks where deleted_at is null order by id`
  t.equal(left.length, 101)
  t.equal(left[0]?.url, 'http://idle-51')
  t.equal((await sql`select from webhooks.deliveries`).length >= 150, true, 'their deliveries stay')
})
