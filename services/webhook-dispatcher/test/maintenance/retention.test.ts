import t from 'tap'
import { firstDeliveryId } from '../../src/db/day-tables.ts'
import { removeOld } from '../../src/maintenance/retention.ts'
import { setup } from '../setup.ts'

const DAY_MS = 86_400_000

t.test('payloads go after 14 days, deliveries with attempts after 30; pending ones are closed first', async t => {
  const { app, sql, createWebhook } = await setup(t)
  const id = await createWebhook({ url: 'http://127.0.0.1:9', status: 'paused' })
  for (const [days, state] of [[40, 'delivered'], [20, 'delivered'], [20, 'pending'], [1, 'pending']] as const) {
    const ms = Date.now() - days * DAY_MS + (state === 'pending' ? 1 : 0)
    await sql`insert into webhooks.events values (${ms}, 0, '1', 'completed', 'default:1', '{}')`
    const [row] = await sql`
      insert into webhooks.deliveries (id, webhook_id, event_ms, event_seq, type, chain, state, created_at, due_at, finished_at)
      values (nextval('webhooks.delivery_numbers') + ${firstDeliveryId(ms)}::bigint, ${id}, ${ms}, 0, 'completed', 'default:1', ${state}, now() - ${days}::int * interval '1 day', now() - ${days}::int * interval '1 day',
        case when ${state} <> 'pending' then now() end) returning id`
    await sql`insert into webhooks.attempts (delivery_id, n, started_at, total_ms) values (${row?.id}, 1, now(), 1)`
  }
  t.equal(await removeOld(app.sql, { deliveriesMs: 30 * DAY_MS, payloadsMs: 14 * DAY_MS }), false)

  t.equal((await sql`select from webhooks.events`).length, 1)
  t.same(
    (await sql`select state from webhooks.deliveries order by id`).map(({ state }) => state),
    ['delivered', 'closed', 'pending']
  )
  t.equal((await sql`select from webhooks.attempts`).length, 3)
})

t.test('tests of a paused webhook that were never sent are closed too, and delay no other', async t => {
  const { app, sql, createWebhook } = await setup(t)
  const id = await createWebhook({ url: 'http://127.0.0.1:9', status: 'paused' })
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, type, state, created_at, due_at, finished_at)
    select ${id}, 0, 0, case when n < 6000 then 'test' else 'redeliver' end, 'completed', case when n < 6000 then 'pending' else 'delivered' end,
      now() - interval '40 days', now() - interval '40 days', case when n >= 6000 then now() end
    from generate_series(1, 7000) as n`
  while (await removeOld(app.sql, { deliveriesMs: 30 * DAY_MS, payloadsMs: 14 * DAY_MS }));
  t.equal((await sql`select from webhooks.deliveries`).length, 0)
})

t.test('hidden and deleted webhooks are removed once no delivery refers to them, and expired secrets', async t => {
  const { app, sql, createWebhook } = await setup(t)
  const ids = [
    await createWebhook({ url: 'http://a.test' }),
    await createWebhook({ url: 'http://b.test' }),
    await createWebhook({ url: 'http://c.test' })
  ]
  await sql`update webhooks.webhooks set created_at = now() - interval '31 days'`
  await sql`
    insert into webhooks.secrets (user_id, webhook_id, ciphertext, expires_at)
    values ('1', ${ids[2] as number}, 'rotated lately', now() + interval '1 hour'), ('1', ${ids[2] as number}, 'rotated long ago', now() - interval '1 hour')`
  await sql`update webhooks.webhooks set kind = 'job' where id = ${ids[0] as number}`
  await sql`update webhooks.webhooks set deleted_at = now() - interval '31 days' where id = ${ids[1] as number}`
  await removeOld(app.sql, { deliveriesMs: 30 * DAY_MS, payloadsMs: 14 * DAY_MS })
  t.same((await sql`select id from webhooks.webhooks`).map(({ id }) => id), [ids[2]])
  t.same((
    await sql`select ciphertext from webhooks.secrets where expires_at is not null`
  ).map(({ ciphertext }) => ciphertext), ['rotated lately'])
})
