import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { setup, type NewEvent } from '../setup.ts'

const completed = (jobId: string): NewEvent => ({ type: 'completed', jobId, result: 1 })

t.test('operators see attempts by outcome, latency, lateness of retries, what is due, what is in flight', async t => {
  const { app, append, createWebhook, sql } = await setup(
    t, { WEBHOOK_RETRY_SCHEDULE: '10ms', WEBHOOK_TIMEOUT_MS: '60000' }
  )
  const metrics = async () => await app.metricsRegistry.metrics()
  const answers = [500]
  const receiver = await startReceiver(t, () => answers.shift() ?? 200)
  const [webhookId, paused] = [
    await createWebhook({ url: receiver.url }),
    await createWebhook({ url: receiver.url, eventType: 'failed', status: 'paused' })
  ]
  const due = async (id: number) => await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, type, state, due_at, message_id, body)
    values (${id}, 0, 0, 'test', 'completed', 'pending', now() - interval '1 hour', 'test-1', '{}')`
  await due(paused)
  t.match(await metrics(), /^tidings_webhook_oldest_due_seconds 0$/m, 'what waits for a paused webhook is not late')

  await append([completed('1')])
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 1)
  await due(webhookId)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 2)
  const text = await metrics()
  t.match(text, /^tidings_webhook_attempts_total\{outcome="success"\} 2$/m)
  t.match(text, /^tidings_webhook_attempts_total\{outcome="http-5xx"\} 1$/m)
  t.match(text, /^tidings_webhook_retry_lateness_seconds_count 1$/m)
  t.match(text, /^tidings_webhook_latency_seconds_count 1$/m, 'a test has no event to be late after')

  receiver.handle(() => {})
  await append([completed('2')])
  await receiver.waitFor(4)
  await until(
    async () => /^tidings_webhook_in_flight\{endpoint="healthy"\} 1$/m.test(await metrics()),
    { what: 'the attempt to count as one at a healthy endpoint' }
  )
  await sql`update webhooks.webhooks set failures = 30, open_until = now() + interval '1 hour' where id = ${webhookId}`
  await due(webhookId)
  await append([completed('3')])
  await until(
    async () => /^tidings_webhook_in_flight\{endpoint="circuit_open"\} 1$/m.test(await metrics()),
    { what: 'the endpoint to count as shut' }
  )
})

t.test('a delivery that is due and not tried is reported by its age', async t => {
  const { app, createWebhook, sql } = await setup(t)
  await app.delivery.stop()
  const id = await createWebhook({ url: 'http://127.0.0.1:9' })
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, due_at)
    values (${id}, 1, 0, 'completed', 'pending', now() - interval '1 hour'), (${id}, 2, 0, 'completed', 'pending', now() + interval '1 hour')`
  const seconds = async () => {
    const [, text] = /^tidings_webhook_oldest_due_seconds (\S+)$/m.exec(await app.metricsRegistry.metrics()) ?? []
    return Number(text)
  }
  t.ok(await seconds() < 600, 'not since before its webhook was made active')
  await sql`update webhooks.webhooks set updated_at = now() - interval '1 day' where id = ${id}`
  t.ok(await seconds() >= 3600)
  await sql`update webhooks.webhooks set open_until = now() - interval '10 min' where id = ${id}`
  t.ok(await seconds() < 3000, 'behind a breaker that has just closed it was not ours to try')
})

t.test('deliveries that wait for a slow endpoint do not count as overdue', async t => {
  const { app, append, createWebhook, sql } = await setup(t, { WEBHOOK_TIMEOUT_MS: '60000' })
  const receiver = await startReceiver(t, () => {})
  const id = await createWebhook({ url: receiver.url })
  await append([completed('1')])
  await receiver.waitFor(1)
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, due_at)
    values (${id}, 9e15, 0, 'progress', 'default:1', 'pending', now() - interval '1 hour')`
  await sql`update webhooks.webhooks set updated_at = now() - interval '1 day'`
  t.match(await app.metricsRegistry.metrics(), /^tidings_webhook_oldest_due_seconds 0$/m)
})
