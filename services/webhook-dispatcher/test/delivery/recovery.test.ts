import t from 'tap'
import { startReceiver, until, type ReceivedRequest } from '@tidings/testing'
import { redeliver } from '../../src/delivery-log/redeliver.ts'
import { recover } from '../../src/maintenance/recover.ts'
import { updateWebhook } from '../../src/webhooks/update-webhook.ts'
import { setup, type NewEvent } from '../setup.ts'

const SHORT = { WEBHOOK_RETRY_SCHEDULE: '20ms,50ms', WEBHOOK_TIMEOUT_MS: '20000' }
const completed = (jobId: string): NewEvent => ({ type: 'completed', jobId, result: 1 })
const jobOf = ({ json }: ReceivedRequest) => (json as { id: string }).id
const received = (requests: ReceivedRequest[]) => requests.map(
  request => `${jobOf(request)} ${(request.json as { eventType: string }).eventType}`
)
const idOf = ({ headers }: ReceivedRequest) => String(headers['webhook-id'])

type Setup = Awaited<ReturnType<typeof setup>>

const untilStates = async (sql: Setup['sql'], state: string, count: number) => await until(async () =>
  (await sql`select from webhooks.deliveries where state = ${state}`).length === count, { what: `${count} ${state}` })

t.test('deliveries that failed while an endpoint was down are sent once it recovers, without new events', async t => {
  const { append, createWebhook, sql } = await setup(t, SHORT)
  const receiver = await startReceiver(t)
  await createWebhook({ url: receiver.url })
  await receiver.stop()
  await append([
    { type: 'progress', jobId: '1', progress: 5 }, completed('1'),
    { type: 'failed', jobId: '2', error: 'no' }, { type: 'waiting', jobId: '2', reopened: true }, completed('2')
  ])
  await until(
    async () => (await sql`select from webhooks.deliveries where attempts > 3`).length > 0,
    { what: 'a probe that finds it still down' }
  )
  t.equal((await sql`select from webhooks.deliveries where state = 'delivered'`).length, 0)
  await receiver.start()
  await untilStates(sql, 'delivered', 3)
  t.same(
    new Set(received(receiver.requests)),
    new Set(['1 completed', '2 failed', '2 completed']),
    'completions and failures, each once'
  )
  t.equal(receiver.requests.length, 3)
  t.same(
    received(receiver.requests).filter(text => text.startsWith('2')),
    ['2 failed', '2 completed'],
    'in the order of their job'
  )
  t.ok(receiver.requests.every(({ headers }) => Number(headers['webhook-attempt']) >= 4))
})

t.test('a success of a newer event is followed by all failed deliveries, with the same webhook-id', async t => {
  const { app, append, createWebhook, sql } = await setup(t, { ...SHORT, WEBHOOK_RETRY_SCHEDULE: '20ms,1h' })
  let status = 500
  const receiver = await startReceiver(t, () => status)
  await createWebhook({ url: receiver.url })
  const jobs = Array.from({ length: 120 }, (_, i) => `old-${i}`)
  await append(jobs.map(completed))
  await until(async () => (await sql`select from webhooks.deliveries where attempts = 2`).length === jobs.length)
  await sql`update webhooks.deliveries set due_at = now() where state = 'pending'`
  await sql`update webhooks.webhooks set open_until = null`
  await untilStates(sql, 'failed', jobs.length)
  const before = receiver.requests.length
  const ids = new Set(receiver.requests.map(idOf))
  status = 200
  await append([completed('new')])
  await untilStates(sql, 'delivered', jobs.length + 1)
  const after = receiver.requests.slice(before)
  t.equal(jobOf(after[0] as ReceivedRequest), 'new')
  t.same(new Set(after.slice(1).map(idOf)), ids)
  t.equal(after.length, jobs.length + 1, 'each once')
  t.match(await app.metricsRegistry.metrics(), /tidings_webhook_recovered_total 120/)
})

t.test('a delivery that an endpoint keeps refusing while it accepts others is tried at growing intervals', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '10ms' })
  const receiver = await startReceiver(t, request => jobOf(request) === 'bad' ? 500 : 200)
  await createWebhook({ url: receiver.url })
  await append([completed('bad')])
  await untilStates(sql, 'failed', 1)
  // The pause would be the schedule's last one.
  const recoveries = async () => (
    await sql<{ recoveries: number }[]>`select recoveries from webhooks.deliveries where state = 'failed'`
  )[0]?.recoveries ?? 0
  for (let i = 0; i < 30; i++) {
    await append([completed(`good-${i}`)])
    await untilStates(sql, 'delivered', i + 1)
  }
  await until(async () => await recoveries() > 0)
  await sql`update webhooks.deliveries set recoveries = 20 where state = 'failed'`
  await untilStates(sql, 'failed', 1)
  const tries = () => receiver.requests.filter(request => jobOf(request) === 'bad').length
  await append([completed('last')])
  await until(
    async () => (await sql`select from webhooks.webhooks where failures = 0 and recover_at is null`).length === 1
  )
  const before = tries()
  await sql`update webhooks.webhooks set recover_at = now()`
  await until(async () => (await sql`select from webhooks.webhooks where recover_at is null`).length === 1)
  t.equal(tries(), before, 'twenty times are enough for this day')
})

t.test('deliveries that failed too long ago are not recovered, nor any where recovery is off', async t => {
  for (const [window, age] of [['1h', '2 hours'], ['0', '0']] as const) {
    const { append, createWebhook, sql } = await setup(t, { ...SHORT, WEBHOOK_RECOVERY_WINDOW: window })
    let status = 500
    const receiver = await startReceiver(t, () => status)
    await createWebhook({ url: receiver.url })
    await append([completed('1')])
    await untilStates(sql, 'failed', 1)
    await sql`update webhooks.deliveries set lost_at = lost_at - ${age}::interval`
    const before = receiver.requests.length
    status = 200
    await append([completed('2')])
    await untilStates(sql, 'delivered', 1)
    await until(
      async () => (await sql`select from webhooks.webhooks where failures = 0 and recover_at is null`).length === 1
    )
    t.same(receiver.requests.slice(before).map(jobOf), ['2'], window)
  }
})

t.test('a paused or disabled webhook gets nothing, and its lost deliveries once it is reactivated', async t => {
  const { append, createWebhook, sql, app } = await setup(t, SHORT)
  let status = 410
  const receiver = await startReceiver(t, () => status)
  const id = await createWebhook({ url: receiver.url })
  await append([completed('1')])
  await until(async () => (await sql`select from webhooks.webhooks where status = 'disabled'`).length === 1)
  status = 200
  await sql`update webhooks.webhooks set recover_at = now()`
  t.equal(receiver.requests.length, 1)
  await updateWebhook(app.db, { userId: '1', id }, { active: true }, app.secretBox)
  await untilStates(sql, 'delivered', 1)
  t.same(receiver.requests.map(idOf), Array(2).fill(idOf(receiver.requests[0] as ReceivedRequest)))
})

t.test('a newer event of the job supersedes a lost delivery, and a redelivered one is not sent again', async t => {
  const { append, createWebhook, sql, app } = await setup(t, { ...SHORT, WEBHOOK_RECOVERY_WINDOW: '0' })
  let status = 500
  const receiver = await startReceiver(t, () => status)
  await createWebhook({ url: receiver.url })
  await append([{ type: 'failed', jobId: 'again', error: 'no' }, completed('by hand')])
  await untilStates(sql, 'failed', 2)
  status = 200
  const [row] = await sql<{ id: string }[]>`select id from webhooks.deliveries where chain = 'default:by hand'`
  await redeliver(app.db, { userId: '1', id: Number(row?.id) })
  await append([{ type: 'waiting', jobId: 'again', reopened: true }, completed('again')])
  await untilStates(sql, 'delivered', 2)
  const before = receiver.requests.length
  await sql`update webhooks.webhooks set recover_at = now()`
  t.equal(await recover(app.sql, { windowMs: 3_600_000, pauseMs: 50, maxPauseMs: 1000 }), 0)
  t.match(
    await sql`select state, reason from webhooks.deliveries where chain = 'default:again' order by event_ms, event_seq`,
    [{ state: 'superseded', reason: /newer/i }, { state: 'delivered' }]
  )
  t.equal(receiver.requests.length, before)
})
