import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { jobOf, setup } from '../setup.ts'

t.test('retries with the same id on the schedule, upward jitter only, and is delivered', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '100ms,200ms,400ms' })
  let failures = 2
  const receiver = await startReceiver(t, () => failures-- > 0 ? 500 : 200)
  await createWebhook({ url: receiver.url })
  await append([{ type: 'completed', jobId: '1', result: 1 }])

  const requests = await receiver.waitFor(3)
  t.same(requests.map(({ headers }) => headers['webhook-attempt']), ['1', '2', '3'])
  t.equal(new Set(requests.map(({ headers }) => headers['webhook-id'])).size, 1)
  const [first, second, third] = requests.map(({ at }) => at) as [number, number, number]
  t.ok(second - first >= 99 && third - second >= 199, `${second - first} ms, ${third - second} ms`)
  const [row] = await until(async () => {
    const rows = await sql`select * from webhooks.deliveries where state = 'delivered'`
    return rows.length === 1 && rows
  })
  t.match(row, { attempts: 3, status: 200, claim: null, error_class: null })
  const attempts = await sql`select n, status, error_class from webhooks.attempts order by n`
  t.same(
    attempts.map(({ n, status, error_class: errorClass }) => [n, status, errorClass]),
    [[1, 500, 'http-5xx'], [2, 500, 'http-5xx'], [3, 200, null]]
  )
})

t.test('gives up after the schedule, keeps the delivery, and delays no other', async t => {
  const { append, createWebhook, sql } = await setup(
    t, { WEBHOOK_RETRY_SCHEDULE: '20ms,40ms,60ms', WEBHOOK_RECOVERY_WINDOW: '0' }
  )
  const receiver = await startReceiver(t, ({ body }) => body.includes('"failed"') ? 400 : 200)
  await createWebhook({ url: receiver.url })
  await append([
    { type: 'failed', jobId: '1', error: 'bad' },
    { type: 'waiting', jobId: '1', reopened: true },
    { type: 'completed', jobId: '1', result: 1 }
  ])

  const requests = await receiver.waitFor(5)
  t.same(
    requests.map(({ json }) => (json as { eventType: string }).eventType),
    ['failed', 'failed', 'failed', 'failed', 'completed']
  )
  await until(async () => (await sql`select from webhooks.deliveries where state <> 'pending'`).length === 2)
  const rows = await sql`select state, attempts from webhooks.deliveries order by event_ms, event_seq`
  t.same(rows.map(({ state, attempts }) => [state, attempts]), [['failed', 4], ['delivered', 1]])
})

t.test('an endpoint that refuses only progress gets the completion at once', async t => {
  // One that waited behind a single piece of progress would come after a minute.
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '60s,60s,60s' })
  const receiver = await startReceiver(t, ({ body }) => body.includes('"progress"') ? 400 : 200)
  await createWebhook({ url: receiver.url })
  await append(jobOf('1', 100).slice(0, 50))
  await receiver.waitFor(1)
  await append(jobOf('1', 100).slice(50))

  await receiver.waitFor(requests => requests.some(({ body }) => body.includes('"completed"')), { timeoutMs: 30_000 })
  const states = await until(async () => {
    const rows = await sql<{
      state: string, n: number
    }[]>`select state, count(*)::int as n from webhooks.deliveries group by state order by state`
    return rows.every(({ state }) => state !== 'pending') && rows
  })
  t.same(states.map(({ state, n }) => [state, n]), [['delivered', 1], ['superseded', 100]])
})

// Most of the time it is deadlines that are waited for.
t.jobs = 2

const hanging = { 'that hangs on everything': 0, 'that has hung for twenty deadlines': 20 }
for (const [which, failures] of Object.entries(hanging)) {
  t.test(`at an endpoint ${which} the completion is tried within three deadlines`, { buffered: true }, async t => {
    // Long beside what a busy machine takes for all else.
    const deadline = 2500
    const { append, createWebhook, sql } = await setup(t, { WEBHOOK_TIMEOUT_MS: String(deadline) })
    const receiver = await startReceiver(t, () => {})
    const id = await createWebhook({ url: receiver.url })
    await sql`update webhooks.webhooks set failures = ${failures}, failing_since = now() - ${failures * deadline}::int * interval '1 ms' where id = ${id}`
    const events = jobOf('1', 100)
    let endedAt = 0
    for (const [n, some] of [events.slice(0, 40), events.slice(40, 80), events.slice(80)].entries()) {
      await receiver.waitFor(n)
      endedAt = Date.now()
      await append(some)
    }

    const [completion] = (await receiver.waitFor(requests => requests.some(({ body }) => body.includes('"completed"'))))
      .filter(({ body }) => body.includes('"completed"'))
    t.ok((completion?.at ?? Infinity) - endedAt < 3 * deadline, `${(completion?.at ?? 0) - endedAt} ms`)
    t.equal(completion?.headers['webhook-attempt'], '1')
    await until(async () => (await sql`select from webhooks.deliveries where state = 'superseded'`).length === 100)
  })
}

t.test('progressMode latest delivers the newest waiting progress and the completion', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const receiver = await startReceiver(t, async () => {
    await new Promise(resolve => setTimeout(resolve, 50))
    return 200
  })
  await createWebhook({ url: receiver.url, progressMode: 'latest' })
  await append(jobOf('1', 200))

  await until(
    async () => (await sql`select from webhooks.deliveries where state in ('delivered', 'superseded')`).length === 201
  )
  const received = receiver.requests.map(({ json }) => (json as { progress?: number }).progress)
  t.same(received.slice(-2), [200, undefined])
  t.ok(received.length < 20, `${received.length} requests`)
  t.same(received.slice(0, -1), received.slice(0, -1).toSorted((a, b) => (a ?? 0) - (b ?? 0)), 'in order')
})

t.test('at a slow endpoint the completion does not wait behind outdated progress', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_PROGRESS_LAG: '2s' })
  const receiver = await startReceiver(t, async () => {
    await new Promise(resolve => setTimeout(resolve, 100))
    return 200
  })
  await createWebhook({ url: receiver.url })
  // One after the other they would take five minutes.
  await append(jobOf('1', 3000))

  await until(
    async () => (await sql`select from webhooks.deliveries where state in ('delivered', 'superseded')`).length === 3001,
    { what: 'all to be over' }
  )
  const steps = receiver.requests.map(({ json }) => (json as { progress?: number }).progress)
  t.same(steps.slice(-2), [3000, undefined], 'the newest progress, then the completion')
  t.same(steps.slice(0, -1), steps.slice(0, -1).toSorted((a, b) => (a ?? 0) - (b ?? 0)), 'in order')
  t.equal((await sql`select from webhooks.deliveries where state = 'superseded' and type <> 'progress'`).length, 0)
  t.equal((await sql`select from webhooks.webhooks where failures = 0`).length, 1)
})

t.test('at a slow endpoint no job waits for the progress of all others', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_PROGRESS_LAG: '1s', WEBHOOK_MAX_PER_ENDPOINT: '2' })
  const receiver = await startReceiver(t, async () => {
    await new Promise(resolve => setTimeout(resolve, 100))
    return 200
  })
  await createWebhook({ url: receiver.url })
  await append(Array.from({ length: 50 }, (_, i) => jobOf(String(i), 20)).flat())
  await until(
    async () => (await sql`select from webhooks.deliveries where state in ('delivered', 'superseded')`).length === 1050,
    { what: 'all to be over' }
  )
  t.equal((await sql`select from webhooks.deliveries where state = 'delivered' and type = 'completed'`).length, 50)
  t.equal((await sql`select from webhooks.deliveries d where d.state = 'delivered' and d.type = 'progress' and not exists (
    select from webhooks.deliveries n where n.chain = d.chain and n.type = 'progress' and n.event_seq > d.event_seq and n.event_ms >= d.event_ms and n.state = 'superseded')`).length >= 50, true, 'of each the newest progress')
})

t.test('at a quick endpoint all events arrive, however many', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_PROGRESS_LAG: '0ms' })
  const receiver = await startReceiver(t)
  await createWebhook({ url: receiver.url })
  await append(jobOf('1', 1000))
  await receiver.waitFor(1001)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 1001)
})

t.test('at a healthy endpoint that does not lag no event is superseded', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_PROGRESS_LAG: '10m' })
  const receiver = await startReceiver(t, async () => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return 200
  })
  await createWebhook({ url: receiver.url })
  await append(['1', '2', '3'].flatMap(jobId => jobOf(jobId, 150)))

  const requests = await receiver.waitFor(453)
  for (const jobId of ['1', '2', '3']) {
    const received = requests.map(
      ({ json }) => json as { id: string, progress?: number }
    ).filter(({ id }) => id === jobId)
    t.same(received.map(({ progress }) => progress), [...Array.from({ length: 150 }, (_, i) => i + 1), undefined])
  }
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 453)
  t.equal((await sql`select from webhooks.deliveries`).length, 453)
})
