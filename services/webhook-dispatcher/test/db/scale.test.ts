import t from 'tap'
import { createSql, DAY_MS, dayOf, dropDays, type RawSql } from '@tidings/service-kit'
import { ATTEMPTS, EVENTS, firstDeliveryId } from '../../src/db/day-tables.ts'
import { closedParts } from '../../src/db/delivery-parts.ts'
import type { Sql } from '../../src/db/sql.ts'
import type { Task } from '../../src/delivery/attempt/task.ts'
import { claimDue } from '../../src/delivery/claim/claim-due.ts'
import { updateRows } from '../../src/delivery/outcomes/update-rows.ts'
import { findPendingGroups } from '../../src/fan-out/find-pending-groups.ts'
import { closeDay } from '../../src/maintenance/close-day.ts'
import { closeUndeliverable } from '../../src/maintenance/close-undeliverable.ts'
import { closeExpired, removeParts } from '../../src/maintenance/retention.ts'
import { explain, isOnDeliveries, rowsOf } from '../delivery/explain.ts'
import { makeDays } from '../make-days.ts'
import { setup } from '../setup.ts'

/** `npm run scale` sets SCALE=long; SCALE_ROWS are fewer for a try. Some 12 GB of disk, and half an hour. */
const skip = process.env.SCALE === 'long' ? false : '`npm run scale` fills ten million deliveries'
const ROWS = Number(process.env.SCALE_ROWS ?? 10_000_000)
const DAYS = 10
const PENDING = 1000
const WEBHOOKS = 200
const now = Date.now()
/** The day that is dropped; all rows of payloads and attempts are in it. */
const OLD = now - 20 * DAY_MS
t.setTimeout(7_200_000)

t.test('ten million deliveries', { skip }, async t => {
  const { app, url } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.close() // nobody else writes
  const sql = createSql(url, { max: 3, connection: { statement_timeout: 0 } })
  t.teardown(() => sql.end({ timeout: 5 }))
  await makeDays(sql, 20)
  await fill(sql)

  await t.test('statements read few rows', async t => {
    for (const [what, most, run] of statements) {
      const { nodes } = await explain(url, run)
      const seen = nodes.filter(isOnDeliveries).reduce((sum, node) => sum + rowsOf(node), 0)
      t.ok(seen <= most, `${what}: ${seen} rows`)
    }
  })

  await t.test('the part of deliveries is closed and dropped beside writers, which hardly wait', async t => {
    const writers = startWriters(sql)
    const closedMs = await timeOf(async () => { t.equal(await closeDay(sql), 'closed') })
    t.equal((await sql`select from webhooks.deliveries where state = 'pending'`).length, PENDING - 1)
    t.comment(`${closedMs} ms to close it, with ${PENDING} pending`)
    const droppedMs = await timeOf(async () => await removeParts(sql, -DAY_MS))
    const written = await writers.stop()
    t.same(await closedParts(sql), [])
    t.comment(`${droppedMs} ms to drop ${ROWS} deliveries, with the waits for a free moment; ${written} writes beside`)
    t.ok(written > 0)
  })

  for (const table of [EVENTS, ATTEMPTS]) {
    await t.test(`a day of webhooks.${table.table} is dropped beside writers, which hardly wait`, async t => {
      const writers = startWriters(sql)
      const before = (dayOf(OLD) + 1) * table.perDay
      let dropped: string[] = []
      const droppedMs = await timeOf(async () => { dropped = await dropDays(sql, table, { before }) })
      const written = await writers.stop()
      t.equal(dropped.length, 1)
      t.comment(`${droppedMs} ms for a day of ${ROWS} rows, with the waits for a free moment; ${written} writes beside`)
      t.ok(written > 0)
    })
  }
})

/** Statements of one page or a few rows; each is met by a few nodes. */
const statements: [what: string, most: number, run: (tx: Sql) => Promise<unknown>][] = [
  ['a claim', 20 * PENDING, async tx => await claimDue(tx, {
    workerId: 1, maxRuns: 100, capacities: new Map(), after: 0, probeMs: 1000
  })],
  ['pending ordering keys', 100, async tx => await findPendingGroups(tx, groups(20), 1)],
  ['an outcome', 20, async tx => await updateRows(tx, [{
    task: { id: firstDeliveryId(now) + 1, workerId: 7 } as Task,
    result: { decision: { state: 'pending', dueAt: now }, keyState: 'clear' }
  }])],
  ['expired ones', 5 * PENDING, async tx => await closeExpired(tx, 14 * DAY_MS)],
  ['undeliverable ones', 5 * PENDING, closeUndeliverable]
]

const groups = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ webhookId: n + 1, orderingKey: `default:${n}` }))

async function fill (sql: RawSql): Promise<void> {
  await sql`
    insert into webhooks.webhooks (user_id, url, event_type, since_ms, since_seq)
    select n::text, 'http://127.0.0.1:9', 'all', 0, 0 from generate_series(1, ${WEBHOOKS}::int) as n`
  await sql.begin(async tx => {
    const indexes = await tx<{ name: string, definition: string }[]>`
      select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
      from pg_index where indrelid = 'webhooks.deliveries'::regclass and not indisprimary`
    for (const { name } of indexes) await tx.unsafe(`drop index ${name}`)
    await tx`
      insert into webhooks.deliveries (id, webhook_id, event_ms, event_seq, type, chain, state, created_at, finished_at)
      select (${dayOf(now)}::bigint - n % ${DAYS}::int) * ${firstDeliveryId(DAY_MS)}::bigint + n, n % ${WEBHOOKS}::int + 1, ${OLD}::bigint, n, 'completed', 'default:' || n,
        case when n < ${PENDING}::int then 'pending' else 'delivered' end, now(), case when n >= ${PENDING}::int then now() end
      from generate_series(1, ${ROWS}::int) as n`
    for (const { definition } of indexes) await tx.unsafe(definition)
  })
  await sql`
    insert into webhooks.events select ${OLD}::bigint, n, (n % ${WEBHOOKS}::int)::text, 'completed', 'default:' || n, '{"id":"' || n || '","jobname":"resize","userId":7,"result":null,"eventType":"completed"}'
    from generate_series(1, ${ROWS}::int) as n`
  await sql`
    insert into webhooks.attempts (delivery_id, n, started_at, total_ms, status, response_body)
    select ${firstDeliveryId(OLD)}::bigint + n, 1, now(), 5, 200, 'ok' from generate_series(1, ${ROWS}::int) as n`
  await sql`vacuum analyze webhooks.deliveries`
}

async function timeOf (run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return Math.round(performance.now() - start)
}

/** Writes all three tables again and again; `stop` fails where a statement waited for a lock for a second. */
function startWriters (sql: RawSql): { stop: () => Promise<number> } {
  const stopping = new AbortController()
  const writing = (async () => {
    let written = 0
    while (!stopping.signal.aborted) {
      written++
      await sql.begin(async tx => {
        await tx`set local lock_timeout = '1s'`
        await tx`insert into webhooks.events values (${now}, ${written}, '1', 'completed', 'default:1', '{}') on conflict do nothing`
        await tx`
          insert into webhooks.attempts (delivery_id, n, started_at, total_ms)
          values (${firstDeliveryId(now) + written}, 1, now(), 1) on conflict do nothing`
        await tx`
          insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
          values (1, ${now}, ${written}, 'completed', 'default:1', 'delivered', now()) on conflict do nothing`
      })
    }
    return written
  })()
  return {
    async stop () {
      stopping.abort()
      return await writing
    }
  }
}
