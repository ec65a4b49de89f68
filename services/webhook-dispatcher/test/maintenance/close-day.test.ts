import t, { type Test } from 'tap'
import { DAY_MS, type RawSql } from '@tidings/service-kit'
import { startReceiver, until } from '@tidings/testing'
import { firstDeliveryId } from '../../src/db/day-tables.ts'
import { closedParts, partOf } from '../../src/db/delivery-parts.ts'
import { listDeliveries } from '../../src/delivery-log/list-deliveries.ts'
import { redeliver } from '../../src/delivery-log/redeliver.ts'
import { closeDay } from '../../src/maintenance/close-day.ts'
import { eraseWebhooks, erasePage } from '../../src/maintenance/erase-user.ts'
import { recover } from '../../src/maintenance/recover.ts'
import { removeOld } from '../../src/maintenance/retention.ts'
import { jobOf, setup } from '../setup.ts'

const now = Date.now()
const MONTH = { deliveriesMs: 30 * DAY_MS, payloadsMs: 14 * DAY_MS }
const at = (days: number) => new Date(now + days * DAY_MS)

type Row = { webhookId: number, days: number, n: number, state?: string, claim?: number }

/** A delivery of so many days from now, with its event. */
async function insert (sql: RawSql, { webhookId, days, n, state = 'delivered', claim }: Row): Promise<number> {
  const ms = now + days * DAY_MS
  await sql`insert into webhooks.events values (${ms}, ${n}, '1', 'completed', ${`default:${n}`}, ${`{"n":${n}}`}) on conflict do nothing`
  const [row] = await sql<{ id: number }[]>`
    insert into webhooks.deliveries (id, webhook_id, event_ms, event_seq, type, chain, state, claim, created_at, finished_at, lost_at)
    values (${firstDeliveryId(ms) + n}, ${webhookId}, ${ms}, ${n}, 'completed', ${`default:${n}`}, ${state}, ${claim ?? null}, ${at(days)},
      ${state === 'pending' ? null : at(days)}, ${state === 'failed' ? at(0) : null}) returning id`
  return row?.id as number
}

const idsOf = async (sql: RawSql, table: string) =>
  (await sql.unsafe<{ id: number }[]>(`select id from ${table} order by id`)).map(({ id }) => id)

async function setupParts (t: Test) {
  const stores = await setup(t)
  const { sql } = stores.app
  const webhookId = await stores.createWebhook({ url: 'http://127.0.0.1:9', status: 'paused' })
  return {
    ...stores,
    sql,
    webhookId,
    add: async (days: number, n: number, state?: string) =>
      await insert(sql, { webhookId, days, n, ...(state !== undefined && { state }) })
  }
}

t.test('the deliveries of former days become a part; pending ones stay in the table of today', async t => {
  const { sql, webhookId, add } = await setupParts(t)
  const done = await add(-1, 1)
  const claimed = await insert(sql, { webhookId, days: -1, n: 2, state: 'pending', claim: 7 })
  const before = await shapeOf(sql, 'deliveries')
  t.equal(await closeDay(sql, now), 'closed')

  const yesterday = partOf(now - DAY_MS)
  t.same(await closedParts(sql), [yesterday])
  t.same(await idsOf(sql, yesterday), [done])
  t.match(await sql`select id, claim from webhooks.deliveries`, [{ id: claimed, claim: 7 }])
  t.same(await idsOf(sql, 'webhooks.all_deliveries'), [done, claimed])
  t.same(await shapeOf(sql, 'deliveries'), before, 'the same columns, settings, constraints and indexes')
  const [next] = await sql<{ id: number }[]>`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, type, state) values (${webhookId}, 0, 0, 'test', 'completed', 'pending') returning id`
  t.ok(next && next.id > claimed, 'ids go on')
  t.equal(await closeDay(sql, now), 'none', 'once a day')
  t.equal(await closeDay(sql, now + DAY_MS), 'closed', 'and on the next one')
  t.same(await closedParts(sql), [yesterday, partOf(now)])
})

t.test('an empty table, and one of today alone, stay as they are', async t => {
  const { sql, add } = await setupParts(t)
  t.equal(await closeDay(sql), 'none')
  await add(0, 1)
  t.equal(await closeDay(sql, now), 'none')
  t.same(await closedParts(sql), [])
})

t.test('the day is not closed while a dispatcher of the release before runs, or too many deliveries wait', async t => {
  const { sql, webhookId, add } = await setupParts(t)
  await add(-1, 1)
  await sql`insert into webhooks.workers (host, lease_until) values ('old', now() + interval '1 minute')`
  t.equal(await closeDay(sql, now), 'waits')
  await sql`update webhooks.workers set lease_until = now() where host = 'old'`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    select ${webhookId}, n, 0, 'completed', 'default:' || n, 'pending' from generate_series(1, 10001) as n`
  t.equal(await closeDay(sql, now), 'waits')
  await sql`delete from webhooks.deliveries where event_ms = 1`
  t.equal(await closeDay(sql, now), 'closed')
})

t.test('several replicas close a day once; what one of them left unfinished is begun again', async t => {
  const { sql, add } = await setupParts(t)
  const ids = [await add(-1, 1), await add(-1, 2, 'pending')]
  await sql`create table webhooks.deliveries_next (like webhooks.deliveries)`
  await sql`alter table webhooks.deliveries_next inherit webhooks.all_deliveries`
  for (const day of [0, 1, 2, 3]) {
    const outcomes = await Promise.all([1, 2, 3, 4].map(async () => await closeDay(sql, now + day * DAY_MS)))
    t.equal(outcomes.filter(outcome => outcome === 'closed').length, 1, outcomes.join())
    t.equal((await closedParts(sql)).at(-1), partOf(now + (day - 1) * DAY_MS))
    t.same(await idsOf(sql, 'webhooks.all_deliveries'), ids)
  }
})

t.test('deliveries of closed days are listed, shown, redelivered, recovered and erased', async t => {
  const { app, sql, webhookId, add } = await setupParts(t)
  const key = { userId: '1' }
  const [old, failed] = [await add(-2, 1), await add(-2, 2, 'failed')]
  await closeDay(sql, now - DAY_MS)
  const newer = await add(-1, 3)
  await closeDay(sql, now)
  const pending = await add(0, 4, 'pending')
  t.equal((await closedParts(sql)).length, 2)

  const list = async (query: object) => (await listDeliveries(app, key, query)).deliveries.map(({ id }) => id)
  t.same(await list({}), [pending, newer, failed, old])
  t.same(await list({ status: 'failed' }), [failed])
  t.same(await list({ status: 'pending' }), [pending])
  t.same(await list({ jobId: '1' }), [old])
  t.same(await list({ from: at(-1.5).toISOString(), to: at(-0.5).toISOString() }), [newer])

  await sql`update webhooks.webhooks set status = 'active', open_until = now() + interval '1 hour'`
  const { id: repeated } = await redeliver(app.db, { ...key, id: old })
  t.same(await list({ origin: 'redeliver' }), [repeated])
  t.equal((await sql`select from webhooks.deliveries where id = ${repeated}`).length, 1, 'is pending')

  await sql`update webhooks.webhooks set open_until = null, recover_at = now()`
  const isPending = async () => (await sql`select from webhooks.deliveries where id = ${failed}`).length === 1
  const policy = { windowMs: DAY_MS, pauseMs: 1000, maxPauseMs: 1000 }
  await until(async () => await recover(sql, policy) > 0 || await isPending(), { what: 'the recovery' })
  t.same((await idsOf(sql, 'webhooks.all_deliveries')).filter(id => id === failed), [failed], 'the row has moved')
  t.match(await sql`select recoveries, lost_at from webhooks.deliveries where id = ${failed}`, [{ recoveries: 1, lost_at: Date }])

  const erase = async () => await erasePage(sql, '1') === 0 && await eraseWebhooks(sql, '1')
  await until(erase, { what: 'the end of the erasure' })
  t.same(await idsOf(sql, 'webhooks.all_deliveries'), [])
  t.equal((await sql`select from webhooks.webhooks where id = ${webhookId}`).length, 0)
})

t.test('events are delivered once and in order while days are closed', async t => {
  const { app: { sql }, append, createWebhook } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '20ms,50ms,100ms' })
  const answers = new Map<string, number>()
  const receiver = await startReceiver(t, ({ headers }) => {
    const id = String(headers['webhook-id'])
    const status = headers['webhook-attempt'] === '1' && answers.size % 5 === 4 ? 500 : 200
    t.not(answers.get(id), 200, 'no event is delivered twice')
    answers.set(id, status)
    return status
  })
  await createWebhook({ url: receiver.url })
  const jobs = 40
  for (let day = 1; day <= 8; day++) {
    for (let job = 0; job < jobs / 8; job++) await append(jobOf(`${day}-${job}`, 4))
    // As soon as there is a delivery, beside others that are written and sent.
    await until(async () => await closeDay(sql, now + day * DAY_MS) === 'closed', { what: 'the end of a day' })
  }
  t.equal((await closedParts(sql)).length, 8)
  const finished = async () => (await sql`select from webhooks.all_deliveries where state in ('delivered', 'superseded')`).length
  await until(async () => await finished() === jobs * 5, { what: 'all deliveries', timeoutMs: 90_000 })
  const delivered = await sql`select from webhooks.all_deliveries where state = 'delivered'`
  t.equal(delivered.length, [...answers.values()].filter(status => status === 200).length)
  const sent = receiver.requests.map(({ json }) => json as { id: string, eventType: string, progress?: number })
  for (const [job, events] of Map.groupBy(sent, ({ id }) => id)) {
    const order = events.map(({ progress = 100 }) => progress)
    t.same(order, order.toSorted((a, b) => a - b), `${job} in order`)
    t.equal(order.at(-1), 100, `${job} ends with its completion`)
  }
  t.equal(new Set(sent.map(({ id }) => id)).size, jobs)
})

t.test('a part is dropped once its newest delivery is too old; rows go one by one where it has many days', async t => {
  const { sql, add } = await setupParts(t)
  const many = [await add(-40, 1), await add(-32, 2), await add(-29, 3)]
  await closeDay(sql, now - 28 * DAY_MS)
  const kept = [await add(-28, 4), await add(-27.5, 5)]
  await closeDay(sql, now - 27 * DAY_MS)
  while (await removeOld(sql, MONTH));
  t.same(await idsOf(sql, 'webhooks.all_deliveries'), [many[2], ...kept])
  while (await removeOld(sql, { ...MONTH, deliveriesMs: 27.8 * DAY_MS }));
  t.same(await idsOf(sql, 'webhooks.all_deliveries'), kept, 'a part of a day stays whole')
  t.equal((await closedParts(sql)).length, 1)
  while (await removeOld(sql, { ...MONTH, deliveriesMs: 27 * DAY_MS }));
  t.same(await closedParts(sql), [])
  await add(-1, 6)
  t.same((await idsOf(sql, 'webhooks.deliveries')).length, 1, 'ids do not depend on a part')
})

async function shapeOf (sql: RawSql, table: string) {
  return await sql`
    select c.reloptions,
      array(select attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where attrelid = c.oid and attnum > 0 and not attisdropped order by attnum) as columns,
      array(select replace(pg_get_constraintdef(oid), ' NOT VALID', '') from pg_constraint where conrelid = c.oid order by 1) as constraints,
      array(select pg_get_indexdef(indexrelid) from pg_index where indrelid = c.oid order by 1) as indexes
    from pg_class c where c.oid = ${`webhooks.${table}`}::regclass`
}
