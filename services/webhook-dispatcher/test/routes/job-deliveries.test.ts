import { randomUUID } from 'node:crypto'
import { startReceiver, tokenOf, until } from '@tidings/testing'
import t from 'tap'
import { appender, SECRET_KEY } from '../setup.ts'
import { setup } from './setup.ts'

// What failed stays so: no probe makes it due again.
const { call, sql, redis } = await setup(t, {
  WEBHOOK_SECRET_KEY: SECRET_KEY, WEBHOOK_RETRY_SCHEDULE: '50ms', WEBHOOK_RECOVERY_WINDOW: '0'
})
const append = appender(redis)
const newUser = () => `user-${randomUUID()}`

type Shown = { webhookId: number, status: string, origin: string, originId: number | null, attemptCount: number }
type Notified = {
  jobId: string
  queue: string | null
  events: { eventId: string, eventType: string, deliveries: Shown[] }[]
}

const notified = async (user: string, jobId: string, query = '') =>
  (await call(`/jobs/${encodeURIComponent(jobId)}/deliveries${query}`, { user })).body as Notified

t.test('the webhooks that each event of a job went to are listed, with what became of them', async t => {
  const user = newUser()
  const [good, bad] = [await startReceiver(t), await startReceiver(t, () => 500)]
  const create = async (url: string, eventType: string) => (await call(
    '/webhooks', { method: 'POST', user, body: { url, eventType } }
  )).body as { id: number }
  const all = await create(good.url, 'all')
  const failing = await create(bad.url, 'completed')
  const jobId = randomUUID()
  await append([
    { type: 'progress', jobId, userId: user, progress: 1 },
    { type: 'completed', jobId, userId: user, result: 2 },
    { type: 'completed', jobId: randomUUID(), userId: user, result: 3 }
  ])
  const job = await until(async () => {
    const found = await notified(user, jobId)
    const ended = found.events.flatMap(({ deliveries }) => deliveries).filter(({ status }) => status !== 'pending')
    return ended.length === 3 && found
  })
  t.match(job, {
    jobId,
    queue: 'default',
    events: [
      { eventType: 'progress', deliveries: [{ webhookId: all.id, status: 'delivered', attemptCount: 1 }] },
      {
        eventType: 'completed',
        deliveries: [
          { webhookId: all.id, url: good.url, status: 'delivered', attemptCount: 1, statusCode: 200 },
          {
            webhookId: failing.id,
            url: bad.url,
            status: 'failed',
            attemptCount: 2,
            statusCode: 500,
            errorClass: 'http-5xx'
          }
        ]
      }
    ]
  })
  t.equal(job.events.length, 2)

  const [, completed] = job.events
  const [{ id: failedId }] = (await call(`/deliveries?jobId=${jobId}&status=failed`, { user })).body.deliveries
  const redelivered = await call(`/deliveries/${failedId}/redeliver`, { method: 'POST', user })
  t.match(redelivered, { status: 202, body: { originId: failedId } })
  const again = (await notified(user, jobId)).events[1]
  t.equal(again?.eventId, completed?.eventId)
  t.match(again?.deliveries[2], {
    origin: 'redeliver', originId: failedId, webhookId: failing.id, jobId, queue: 'default'
  })
  t.match((await notified(newUser(), jobId)), { jobId, queue: null, events: [] }, 'of another user')
  const operator = { headers: { authorization: `Bearer ${tokenOf('operator', { scope: 'operator:read' })}` } }
  t.equal((await call(`/jobs/${jobId}/deliveries?userId=${user}`, operator)).body.events.length, 2)
  t.equal((await call(`/jobs/${jobId}/deliveries?userId=*`, operator)).status, 400)
})

t.test('of jobs with one id in several queues, the one delivered last is meant, or that of the queue', async t => {
  const user = newUser()
  const { body: { id } } = await call(
    '/webhooks', { method: 'POST', user, body: { url: 'https://example.com/', eventType: 'all' } }
  )
  const jobId = 'repeat:every:5'
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    values (${id}, 1, 0, 'completed', ${`old:${jobId}`}, 'delivered', now()),
      (${id}, 2, 0, 'failed', ${`new:${jobId}`}, 'delivered', now())`
  t.match(await notified(user, jobId), { jobId, queue: 'new', events: [{ eventId: '2-0', eventType: 'failed' }] })
  t.match(await notified(user, jobId, '?queue=old'), { jobId, queue: 'old', events: [{ eventId: '1-0' }] })
  t.same(await notified(user, jobId, '?queue=other'), { jobId, queue: null, events: [] })
  t.same(await notified(user, 'every:5'), { jobId: 'every:5', queue: null, events: [] })
})

t.test('of a job with very many deliveries the newest 500 are shown', async t => {
  const user = newUser()
  const { body: { id } } = await call(
    '/webhooks', { method: 'POST', user, body: { url: 'https://example.com/', eventType: 'all' } }
  )
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    select ${id}, n, 0, 'progress', 'default:many', 'delivered', now() from generate_series(1, 501) n`
  const { events, truncated } = await notified(user, 'many') as Notified & { truncated?: true }
  t.match([events.length, events[0]?.eventId, events.at(-1)?.eventId, truncated], [500, '2-0', '501-0', true])
})

t.test('an invalid request is reported with its path', async t => {
  t.match((await call('/jobs/1/deliveries?queue=a:b')).body.errors, [{ path: 'querystring.queue' }])
  t.match((await call('/jobs/1/deliveries?status=failed')).body.errors, [{ path: 'querystring.status' }])
  t.equal((await call(`/jobs/${'x'.repeat(257)}/deliveries`)).status, 400)
})
