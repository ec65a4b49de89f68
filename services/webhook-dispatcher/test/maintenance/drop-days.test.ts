import t, { type Test } from 'tap'
import { DAY_MS, dayOf, partitionsOf, type DayTable, type RawSql } from '@tidings/service-kit'
import { ATTEMPTS, EVENTS, firstDeliveryId } from '../../src/db/day-tables.ts'
import { removeOld } from '../../src/maintenance/retention.ts'
import { makeDays } from '../make-days.ts'
import { setup } from '../setup.ts'

const RETENTION = { deliveriesMs: 6 * DAY_MS, payloadsMs: 3 * DAY_MS }
const now = Date.now()
const today = dayOf(now)

async function setupDays (t: Test) {
  const { app, createWebhook } = await setup(t)
  const { sql } = app
  await makeDays(sql, 9)
  const webhookId = await createWebhook({ url: 'http://127.0.0.1:9', status: 'paused' })
  return {
    sql,
    insert: async (days: number, state = 'delivered') => await insertDelivery(sql, { webhookId, days, state }),
    remove: async () => { while (await removeOld(sql, RETENTION)); }
  }
}

type NewDelivery = { webhookId: number, days: number, state: string }

/** A delivery of so many days ago, with its event and an attempt. */
async function insertDelivery (sql: RawSql, { webhookId, days, state }: NewDelivery): Promise<number> {
  const ms = now - days * DAY_MS
  await sql`insert into webhooks.events values (${ms}, ${days}, '1', 'completed', 'default:1', '{}') on conflict do nothing`
  const [row] = await sql<{ id: number }[]>`
    insert into webhooks.deliveries (id, webhook_id, event_ms, event_seq, type, chain, state, created_at, due_at, finished_at)
    values (${firstDeliveryId(ms) + days}, ${webhookId}, ${ms}, ${days}, 'completed', 'default:1', ${state}, ${new Date(ms)}, ${new Date(ms)},
      ${state === 'pending' ? null : new Date(ms)}) returning id`
  const id = row?.id as number
  await sql`insert into webhooks.attempts (delivery_id, n, started_at, total_ms) values (${id}, 1, now(), 1)`
  return id
}

/** How many days ago the days of a table were, the oldest first. */
async function daysOf (sql: RawSql, table: DayTable): Promise<number[]> {
  return (await partitionsOf(sql, table)).ranges.map(({ from }) => today - from / table.perDay)
}

t.test('a delivery gets an id that carries its day, and is above all of before', async t => {
  const { app, createWebhook } = await setup(t)
  const id = await createWebhook({ url: 'http://127.0.0.1:9', status: 'paused' })
  const insert = async () => (await app.sql<{ id: number }[]>`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, type, state) values (${id}, 0, 0, 'test', 'completed', 'pending') returning id`)[0]?.id as number
  const [first, second] = [await insert(), await insert()]
  t.ok(first >= firstDeliveryId(now) && first < firstDeliveryId(now + 2 * DAY_MS))
  t.equal(second, first + 1)
  t.ok(Number.isSafeInteger(firstDeliveryId(Date.parse('2200-01-01'))))
})

t.test('payloads go with their day after three days, attempts with theirs once no delivery of it is left', async t => {
  const { sql, insert, remove } = await setupDays(t)
  for (const days of [8, 4, 1]) await insert(days)
  await remove()
  t.same((await sql`select event_seq from webhooks.events order by 1 desc`).map(row => row.event_seq), [1])
  t.same((await sql`select event_seq from webhooks.deliveries order by 1 desc`).map(row => row.event_seq), [4, 1])
  t.same((await sql`select delivery_id from webhooks.attempts`).length, 2)
  t.equal((await daysOf(sql, EVENTS))[0], 3)
  t.equal((await daysOf(sql, ATTEMPTS))[0], 6)
})

t.test('a pending delivery is closed when its payload expires, and keeps its day until it is removed', async t => {
  const { sql, insert, remove } = await setupDays(t)
  await sql`update webhooks.webhooks set status = 'active', open_until = now() + interval '1 day'`
  const id = await insert(9, 'pending')
  await sql`update webhooks.deliveries set due_at = now() + interval '1 hour' where id = ${id}` // retried lately
  await insert(8)
  await remove()
  t.same((await sql`select id from webhooks.deliveries`).map(row => row.id), [id])
  t.equal((await daysOf(sql, ATTEMPTS))[0], 9, 'with all days after it')
  await sql`update webhooks.deliveries set due_at = now() - interval '4 days' where id = ${id}`
  await remove()
  t.same(await sql`select from webhooks.deliveries`, [])
  t.same(await sql`select from webhooks.attempts`, [])
  t.equal((await daysOf(sql, ATTEMPTS))[0], 6)
})

t.test('rows outside of all days are removed one by one', async t => {
  const { sql, insert, remove } = await setupDays(t)
  for (const days of [100, 101]) await insert(days)
  await insert(-100)
  t.equal((await sql`select from webhooks.events_default`).length, 3)
  t.equal((await sql`select from webhooks.attempts_default`).length, 3)
  await remove()
  t.equal((await sql`select from webhooks.events_default`).length, 1, 'of a clock that ran ahead')
  t.equal((await sql`select from webhooks.attempts_default`).length, 1)
})
