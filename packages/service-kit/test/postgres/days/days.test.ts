import t, { type Test } from 'tap'
import { createDatabase } from '@tidings/testing'
import { pause } from '../../../src/async.ts'
import { addDays, daysAhead } from '../../../src/postgres/days/add-days.ts'
import { DAY_MS, dayOf, partitionsOf } from '../../../src/postgres/days/day-table.ts'
import { dropDays } from '../../../src/postgres/days/drop-days.ts'
import { createSql } from '../../../src/postgres/postgres.ts'

const NOW = Date.parse('2026-11-28T13:00:00Z')
const TODAY = dayOf(NOW)
const LINES = { schema: 'kit', table: 'lines', key: 'at', perDay: DAY_MS }
const at = (days: number) => (TODAY + days) * DAY_MS + 1

async function setup (t: Test) {
  const { url } = await createDatabase(t)
  const sql = createSql(url, { max: 5 })
  t.teardown(() => sql.end({ timeout: 5 }))
  await sql.unsafe(`
    create schema kit;
    create table kit.lines (at bigint not null, text text not null default 'x', primary key (at, text)) partition by range (at);
    create index lines_text on kit.lines (text);
    create table kit.lines_default partition of kit.lines default;`)
  const rowsOf = async (name: string) => (await sql.unsafe(`select from kit.${name}`)).length
  return { sql, rowsOf, insert: async (days: number) => await sql`insert into kit.lines values (${at(days)})` }
}

t.test('days are added from today to a week ahead, once, by any number of replicas', async t => {
  const { sql, rowsOf, insert } = await setup(t)
  t.equal(await daysAhead(sql, LINES, NOW), 0)
  t.same(await Promise.all([1, 2, 3].map(async () => await addDays(sql, LINES, NOW))), [[], [], []])
  const { ranges, rest } = await partitionsOf(sql, LINES)
  t.equal(ranges.length, 8)
  t.match(ranges[0], { name: 'kit.lines_20261128', from: TODAY * DAY_MS, to: (TODAY + 1) * DAY_MS })
  t.equal(rest, 'kit.lines_default')
  t.equal(await daysAhead(sql, LINES, NOW), 7)
  t.equal(await daysAhead(sql, LINES, NOW + 7 * DAY_MS), 0, 'a week later there is none for tomorrow')
  await insert(1)
  t.equal(await rowsOf('lines_20261129'), 1)
  const indexes = await sql`
    select indexdef from pg_indexes where tablename = 'lines_20261129' order by 1`
  t.match(indexes, [{ indexdef: /\(text\)/ }, { indexdef: /UNIQUE .*\(at, text\)/ }])
})

t.test('rows of no day are kept in the default partition, and move to their day once it is added', async t => {
  const { sql, rowsOf, insert } = await setup(t)
  await addDays(sql, LINES, NOW)
  for (const days of [-400, 10, 10_000]) await insert(days)
  t.equal(await rowsOf('lines_default'), 3)
  t.same(await addDays(sql, LINES, NOW + 5 * DAY_MS), [])
  t.equal(await rowsOf('lines_20261208'), 1)
  t.equal(await rowsOf('lines_default'), 2)
  t.equal(await rowsOf('lines'), 3)
})

t.test('a day with too many rows in the default partition is reported, stays there, and stops no other', async t => {
  const { sql, rowsOf } = await setup(t)
  await sql`insert into kit.lines select ${at(1)}, n::text from generate_series(1, 10001) as n`
  t.same(await addDays(sql, LINES, NOW), [{ table: 'kit.lines', day: '2026-11-29' }])
  t.equal((await partitionsOf(sql, LINES)).ranges.length, 7)
  t.equal(await rowsOf('lines_default'), 10_001)
  await sql`delete from kit.lines where text = '1'`
  t.same(await addDays(sql, LINES, NOW), [])
  t.equal(await rowsOf('lines_20261129'), 10_000)
  t.equal(await rowsOf('lines_default'), 0)
})

t.test('a day is added beside an open write, which does not delay it', async t => {
  const { sql, rowsOf, insert } = await setup(t)
  await addDays(sql, LINES, NOW)
  await sql.begin(async tx => {
    await tx`insert into kit.lines values (${at(0)})`
    t.same(await addDays(sql, LINES, NOW + DAY_MS), [])
    await insert(8)
  })
  t.equal(await rowsOf('lines_20261206'), 1)
})

t.test('whole days are dropped, oldest first, by any number of replicas, up to one that must stay', async t => {
  const { sql, rowsOf, insert } = await setup(t)
  await addDays(sql, LINES, NOW)
  for (const days of [0, 1, 2, 3]) await insert(days)
  const before = (TODAY + 3) * DAY_MS
  t.same(await dropDays(sql, LINES, { before: TODAY * DAY_MS + 1 }), [], 'not a part of a day')
  const prepare = async ({ name }: { name: string }) => name !== 'kit.lines_20261129'
  t.same(await dropDays(sql, LINES, { before, prepare }), ['kit.lines_20261128'])
  const dropped = await Promise.all([1, 2].map(async () => await dropDays(sql, LINES, { before })))
  t.same(dropped.flat().toSorted(), ['kit.lines_20261129', 'kit.lines_20261130'])
  t.equal(await rowsOf('lines'), 1)
})

t.test('writers never queue behind a day that is to be dropped; it is dropped between them', async t => {
  const { sql, rowsOf, insert } = await setup(t)
  await addDays(sql, LINES, NOW)
  await insert(0)
  let dropped: Promise<string[]> | undefined
  await sql.begin(async holder => {
    await holder`insert into kit.lines values (${at(2)}, 'held')`
    dropped = dropDays(sql, LINES, { before: (TODAY + 1) * DAY_MS })
    for (let n = 0; n < 20; n++) {
      // A lock that is not free, or that others wait for, is an error here.
      await sql.begin(async tx => {
        await tx`set local lock_timeout = '1ms'`
        await tx`insert into kit.lines values (${at(1)}, ${String(n)})`
        await tx`select from kit.lines where at = ${at(0)}`
      })
      await pause(20)
    }
    t.ok((await partitionsOf(sql, LINES)).ranges.some(({ name }) => name === 'kit.lines_20261128'), 'it waits')
  })
  t.same(await dropped, ['kit.lines_20261128'])
  t.equal(await rowsOf('lines'), 21)
})
