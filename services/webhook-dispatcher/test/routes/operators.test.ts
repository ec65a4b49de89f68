import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { setup } from './setup.ts'

t.test('operators see the backlog, the replicas and the endpoints of all users that fail', async t => {
  const { app, call, sql } = await setup(t)
  const headers = { authorization: `Bearer ${tokenOf('operator', { scope: 'operator:read' })}` }
  const read = async () => (await call('/operators/deliveries', { headers })).body
  for (const user of [1, 2, 3]) {
    await call('/webhooks', { method: 'POST', user, body: { url: `http://127.0.0.1:9/${user}`, eventType: 'all' } })
  }
  await sql`update webhooks.webhooks set failures = 3, failing_since = now() - interval '1 hour' where user_id = '2'`
  await sql`
    update webhooks.webhooks set status = 'disabled', disabled_reason = 'The endpoint answered 410 Gone' where user_id = '3'`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, due_at)
    select id, 1, 0, 'completed', 'default:1', 'pending', now() + interval '1 hour'
    from webhooks.webhooks where status = 'active'`
  await until(async () => (await read()).workers[0]?.shards > 0)

  const { failing, workers, ...rest } = await read()
  t.same(rest, { fanOutLagMs: 0, oldestDueMs: 0, pending: 2 })
  t.equal(workers.length, 1)
  t.match(failing, [
    { userId: '2', url: 'http://127.0.0.1:9/2', status: 'active', failures: 3, disabledReason: null, openUntil: null },
    { userId: '3', status: 'disabled', disabledReason: 'The endpoint answered 410 Gone', failingSince: null }
  ])
  t.equal(failing.length, 2)
  t.equal((await call('/operators/deliveries')).status, 403)
  t.equal((await app.inject('/operators/deliveries')).statusCode, 401)
})
