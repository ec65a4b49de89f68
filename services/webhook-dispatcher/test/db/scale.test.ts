import { readFile } from 'node:fs/promises'
import t from 'tap'
import { createSql, DAY_MS, dayOf, dropDays, type RawSql } from '@tidings/service-kit'
import { ATTEMPTS, EVENTS, firstDeliveryId } from '../../src/db/day-tables.ts'
import { closedParts } from '../../src/db/delivery-parts.ts'
import type { Sql } from '../../src/db/sql.ts'
import type { Task } from '../../src/delivery/attempt/task.ts'
import { claimDue } from '../../src/delivery/claim/claim-due.ts'
import { updateRows } from '../../src/delivery/outcomes/update-rows.ts'
import { findPendingGroups } from '../../src/fan-out/find-pending-groups.ts'
import { selectionOf } from '../../src/delivery-log/delivery-filter.ts'
import { scanDeliveries } from '../../src/delivery-log/scan-deliveries.ts'
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
const BULK_ID = 'deliveries-0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17'
/** Rows that are deleted for comparison. */
const DELETED = 50_000
const DELETED_PAGE = 5000
const MAX_RUNS = 100
const now = Date.now()
/** The day that is dropped; all rows of payloads and attempts are in it. */
const OLD = now - 20 * DAY_MS
t.setTimeout(7_200_000)
/** The runner shows the comments of failed tests only. */
const report = (text: string) => process.stderr.write(`${text}\n`)

t.test('ten million deliveries', { skip }, async t => {
  const { app, url } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.close() // nobody else writes
  const sql = createSql(url, { max: 3, connection: { statement_timeout: 0 } })
  t.teardown(() => sql.end({ timeout: 5 }))
  /** One connection, whose CPU is shown beside the time: a busy machine takes a multiple of it. */
  const own = createSql(url, { max: 1, connection: { statement_timeout: 0 } })
  t.teardown(() => own.end({ timeout: 5 }))
  const costOf = async (run: () => Promise<unknown>): Promise<string> => {
    const backend = Number((await own`select pg_backend_pid() as pid`)[0]?.pid) // an idle connection is replaced
    const before = await cpuOf(backend)
    const ms = await timeOf(run)
    const after = await cpuOf(backend)
    return `${ms} ms${before === undefined || after === undefined ? '' : `, of CPU ${after - before} ms`}`
  }
  await makeDays(sql, 20)
  report(`${await timeOf(async () => await fill(sql))} ms to fill the tables`)

  for (const table of ['deliveries', 'events', 'attempts']) report(await sizeOf(sql, table))

  await t.test('statements read few rows', async t => {
    for (const [what, most, run] of statements) {
      const { nodes, buffers } = await explain(url, run)
      const seen = nodes.filter(isOnDeliveries).reduce((sum, node) => sum + rowsOf(node), 0)
      t.ok(seen <= most, `${what}: ${seen} rows, ${buffers} pages`)
      report(`${what}: ${seen} rows, ${buffers} pages`)
    }
  })

  await t.test('rows deleted one by one, for comparison', async () => {
    const cost = await costOf(async () => await deleteSome(own))
    report(`${cost} to delete ${DELETED} of ${ROWS} deliveries in pages of ${DELETED_PAGE}`)
  })

  await t.test('the part of deliveries is closed and dropped beside writers, which hardly wait', async t => {
    const writers = startWriters(sql)
    const closing = await costOf(async () => await inTheEnd(async () => await closeDay(own) === 'closed'))
    report(`${closing} to close it, with ${PENDING} pending`)
    t.equal((await sql`select from webhooks.deliveries where state = 'pending'`).length, PENDING - 1)
    const cost = await costOf(async () => await inTheEnd(async () => {
      await removeParts(own, -DAY_MS)
      return (await closedParts(own)).length === 0
    }))
    const { written, longestMs } = await writers.stop()
    report(`${cost} to drop ${ROWS} deliveries, with the waits for a free moment`)
    report(`${written} writes beside, the longest of ${longestMs} ms`)
    t.ok(written > 0)
  })

  for (const table of [EVENTS, ATTEMPTS]) {
    await t.test(`a day of webhooks.${table.table} is dropped beside writers, which hardly wait`, async t => {
      const writers = startWriters(sql)
      const before = (dayOf(OLD) + 1) * table.perDay
      const cost = await costOf(async () =>
        await inTheEnd(async () => (await dropDays(own, table, { before })).length === 1))
      const { written, longestMs } = await writers.stop()
      report(`${cost} for a day of ${ROWS} rows, with the waits for a free moment`)
      report(`${written} writes beside, the longest of ${longestMs} ms`)
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
  ['undeliverable ones', 5 * PENDING, closeUndeliverable],
  ...([
    ['a list of a user', { userId: '7' }, {}],
    ['a list of all users', { userId: undefined }, {}],
    ['failed ones of a user', { userId: '7' }, { status: 'failed' }],
    ['failed ones of all users', { userId: undefined }, { status: 'failed' }],
    ['deliveries of a job', { userId: '8' }, { jobId: '7' }],
    ['an hour of a user', { userId: '7' }, { from: new Date(now - 3_600_000).toISOString() }],
    ['what a bulk action made', { userId: '7' }, { bulkId: BULK_ID }]
  ] as const).map(([what, owner, filter]): typeof statements[number] => [what, 1000, async tx =>
    await scanDeliveries(tx as RawSql, selectionOf(owner, filter), { limit: 20 })])
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
  await sql`insert into webhooks.bulks (id, user_id, action) values (${BULK_ID.replace('deliveries-', '')}::uuid, '7', 'redeliver')`
  await sql`
    insert into webhooks.bulk_pages (bulk, first, last, deliveries) select 1, min(id), max(id), array_agg(id) from (
      select id, row_number() over (order by id) as n from webhooks.deliveries where webhook_id = 7 order by id limit 50000) made
    group by n / 500`
  await sql`vacuum analyze webhooks.deliveries`
}

/** The size of a table and of its indexes, of all its days. */
async function sizeOf (sql: RawSql, table: string): Promise<string> {
  const [row] = await sql<{ whole: string, indexes: string }[]>`
    select pg_size_pretty(sum(pg_total_relation_size(relid))) as whole, pg_size_pretty(sum(pg_indexes_size(relid))) as indexes
    from (select relid from pg_partition_tree(${`webhooks.${table}`}::regclass) where isleaf
      union select ${`webhooks.${table}`}::regclass where not exists (select from pg_partition_tree(${`webhooks.${table}`}::regclass))) parts`
  return `${table}: ${row?.whole}, of it indexes ${row?.indexes}`
}

/** Deletes deliveries page by page, as retention did before whole days were dropped. */
async function deleteSome (sql: RawSql): Promise<void> {
  for (let deleted = 0; deleted < DELETED; deleted += DELETED_PAGE) {
    await sql`
      delete from webhooks.deliveries where id in (
        select id from webhooks.deliveries where state = 'delivered' order by id limit ${DELETED_PAGE}::int)`
  }
}

/** Runs of retention until one finds a moment in which no writer holds a lock. */
async function inTheEnd (run: () => Promise<boolean>): Promise<void> {
  for (let runs = 1; !await run(); runs++) {
    if (runs === MAX_RUNS) throw new Error(`Not done after ${runs} runs`)
  }
}

/** Of a process of this machine, in milliseconds; undefined where the system does not show it. */
async function cpuOf (pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields && (Number(fields[11]) + Number(fields[12])) * 10 // ticks of a hundredth of a second
}

async function timeOf (run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return Math.round(performance.now() - start)
}

/** Writes all three tables again and again; `stop` fails where a statement waited for a lock for a second. */
function startWriters (sql: RawSql): { stop: () => Promise<{ written: number, longestMs: number }> } {
  const stopping = new AbortController()
  const writing = (async () => {
    let written = 0
    let longestMs = 0
    while (!stopping.signal.aborted) {
      written++
      const start = performance.now()
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
      longestMs = Math.max(longestMs, Math.round(performance.now() - start))
    }
    return { written, longestMs }
  })()
  return {
    async stop () {
      stopping.abort()
      return await writing
    }
  }
}
