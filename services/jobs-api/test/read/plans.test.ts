import t from 'tap'
import { createSql, type RawSql } from '@tidings/service-kit'
import { cappedCount, COUNT_CAP, countByState, countJobs } from '../../src/read/count-jobs.ts'
import type { JobFilter } from '../../src/read/job-filter.ts'
import { selectStats, STATS_ROWS } from '../../src/read/job-stats.ts'
import { scanStep, selectPage, SCAN_STEP, type Place } from '../../src/read/find-page.ts'
import { makeManyRows } from '../generate-rows.ts'
import { startApp, startServers } from '../setup.ts'

const MILLION = 1_000_000
/**
 * Blocks that a page may touch, except for skipping: five range scans, eleven rows read by key, four levels each.
 */
const BLOCKS = 120

const { env, database } = await startServers(t)
const app = await startApp(t, { ...env, JOB_RETENTION_DAYS: '36500' })
await app.close() // only the tables are needed; nothing writes while plans are read
const sql = createSql(env.DATABASE_URL as string)
t.teardown(() => sql.end({ timeout: 5 }))

// One user with half of the rows, one with a quarter, a thousand with few: which may mislead a plan. Of the first
// user's, 100,000 are of one name and 100,000 of one queue, and eight of both.
await makeManyRows(database.sql,
  { userId: '1', count: 800_000 },
  { userId: '1', count: 100_000, first: 800_000, names: 'frequent' },
  { userId: '1', count: 99_992, first: 900_000, queues: 'frequent' },
  { userId: '1', count: 8, first: 999_992, names: 'frequent', queues: 'frequent' },
  { userId: '2', count: MILLION / 2 },
  { userId: 'few', count: MILLION / 2, users: 1000 })

type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  Filter?: string
  Plans?: Node[]
  'Shared Hit Blocks'?: number
  'Shared Read Blocks'?: number
  'Actual Rows'?: number
  'Actual Loops'?: number
}
type Query = ReturnType<typeof selectPage> | ReturnType<typeof scanStep> | ReturnType<typeof cappedCount> |
  ReturnType<typeof selectStats>

/** The nodes of the custom and of the generic plan: Postgres may use either. */
async function nodesOf (make: (sql: RawSql) => Query): Promise<Node[]> {
  const { string } = await make(sql).describe()
  const [custom, generic] = await Promise.all([
    sql`explain (format json) ${make(sql)}`,
    sql.unsafe(`explain (format json, generic_plan) ${string}`)
  ])
  return [custom, generic].flatMap(rows => flatten(rows[0]?.['QUERY PLAN'][0].Plan))
}

function flatten (node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

/** The nodes of the executed plan, the root first. */
async function ran (query: Query): Promise<Node[]> {
  const [row] = await sql`explain (analyze, buffers, format json) ${query}`
  return flatten(row?.['QUERY PLAN'][0].Plan)
}

/** The number of blocks that a query touches: its cost on any machine. */
async function blocksOf (query: Query): Promise<number> {
  const [whole] = await ran(query)
  return (whole?.['Shared Hit Blocks'] ?? 0) + (whole?.['Shared Read Blocks'] ?? 0)
}

/** The number of index entries that a query reads. */
async function entriesOf (query: Query): Promise<number> {
  const scans = (await ran(query)).filter(isScan)
  return scans.reduce((sum, node) => sum + (node['Actual Rows'] ?? 0), 0)
}

const isScan = (node: Node) => node['Relation Name'] === 'jobs'
const at = 1_640_995_200_000
const middle = { key: at + 500_000, n: 500_000 }
const places: Record<string, { place: Place, skips: boolean }> = {
  'page 1': { place: { limit: 11, offset: 0 }, skips: false },
  'page 50,000': { place: { limit: 11, offset: 499_990 }, skips: true },
  'a page behind a cursor': { place: { limit: 11, after: middle }, skips: false }
}
const range = { from: at + 250_000, to: at + 750_000 }
const filters: Record<string, Partial<JobFilter>> = {
  'no filter': {},
  status: { states: ['failed'] },
  'two states': { states: ['failed', 'active'] },
  name: { name: 'name1' },
  queue: { queue: 'queue1' },
  from: { from: range.from },
  to: { to: range.to },
  'from and to': range,
  'name and status': { name: 'name1', states: ['failed'] },
  'queue and status': { queue: 'queue1', states: ['active'] },
  'name and queue': { name: 'name1', queue: 'queue1' },
  'name and queue that seldom meet': { name: 'frequent', queue: 'frequent' },
  'name, queue and status': { name: 'name1', queue: 'queue1', states: ['failed'] },
  'status, from and to': { states: ['completed'], ...range },
  'name, from and to': { name: 'name1', ...range },
  'queue, from and to': { queue: 'queue1', ...range },
  'name, queue, from and to': { name: 'name1', queue: 'queue1', ...range },
  'two states and name': { states: ['failed', 'active'], name: 'name1' },
  'all filters': { name: 'name1', queue: 'queue1', states: ['failed'], ...range },
  'sort=finished': { sort: 'finished' },
  'sort=finished and status': { sort: 'finished', states: ['failed'] },
  'sort=finished, from and to': { sort: 'finished', ...range },
  'sort=finished, status, from and to': { sort: 'finished', states: ['failed'], ...range }
}

t.test('there are a million jobs of one user, and a million of others', async t => {
  // Not by `sql`, whose statements are limited to ten seconds: that may not suffice for all rows.
  const [row] =
    await database.sql`select (count(*) filter (where user_id = '1'))::int as own, (count(*) filter (where user_id <> '1'))::int as others from jobs.jobs`
  t.same(row, { own: MILLION, others: MILLION })
})

for (const [filtered, filter] of Object.entries(filters)) {
  for (const [placed, { place, skips }] of Object.entries(places)) {
    t.test(`${placed} with ${filtered} is found in an index alone, and read by primary key`, async t => {
      const make = (sql: RawSql) => selectPage(sql, { userId: '1', ...filter }, place)
      const nodes = await nodesOf(make)
      const scans = nodes.filter(isScan).map(
        node => `${node['Node Type']} ${node['Index Name'] === 'jobs_pkey' ? 'by key' : 'by range'}`
      )
      t.same([...new Set(scans)].toSorted(), ['Index Only Scan by range', 'Index Scan by key'])
      t.notOk(nodes.some(node => node.Filter), 'no row is read and then filtered out')
      t.notOk(nodes.some(node => node['Node Type'].includes('Sort')), 'all rows are read in order')
      if (skips) return
      const blocks = await blocksOf(make(sql))
      t.ok(blocks <= BLOCKS, `touches ${blocks} blocks`)
    })
  }
}

t.test('the jobs of a bulk action are read by primary key, in either order and for all users', async t => {
  const bulkId = '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17'
  const done = 5000
  await sql`insert into jobs.bulks (id, user_id, action) values (${bulkId}::uuid, '1', 'retry')`
  await sql`
    insert into jobs.bulk_pages (bulk, jobs) select 1, array_agg(n) from (
      select n from jobs.jobs where user_id = '1' and state = 4 order by n limit ${done}) failed group by n / 1000`
  const others: Partial<JobFilter>[] = [
    {}, { states: ['failed'] }, { sort: 'finished' }, { q: 'nothing' }, { userId: undefined }
  ]
  for (const filter of others) {
    for (const [placed, { place }] of Object.entries(places)) {
      const what = `${JSON.stringify(filter)} ${placed}`
      const make = (sql: RawSql) => scanStep(sql, { userId: '1', bulkId, ...filter }, place, 100_000)
      const scans = (await nodesOf(make)).filter(isScan).map(node => `${node['Node Type']} of ${node['Index Name']}`)
      t.same([...new Set(scans)], ['Index Scan of jobs_pkey'], what)
      const entries = await entriesOf(make(sql))
      t.ok(entries <= 2 * done + 100, `${what}: ${entries} rows`)
    }
  }
})

for (const [filtered, filter] of Object.entries(filters).slice(2)) {
  t.test(`counting with ${filtered} is index only, and stops at its cap`, async t => {
    const make = (sql: RawSql) => cappedCount(sql, { userId: '1', ...filter })
    const nodes = await nodesOf(make)
    t.same([...new Set(nodes.filter(isScan).map(node => node['Node Type']))], ['Index Only Scan'])
    t.notOk(nodes.some(node => node.Filter))
    const entries = await entriesOf(make(sql))
    t.ok(entries <= COUNT_CAP + 1, `reads ${entries} entries`)
  })
}

/** Filters that no index leads to; `isCovered` if the scanned index has all that they compare. */
const scans: Record<string, { filter: JobFilter, index: string, isCovered?: boolean }> = {
  q: { filter: { userId: '1', q: 'nothing' }, index: 'jobs_user' },
  'q and status': { filter: { userId: '1', q: 'nothing', states: ['failed'] }, index: 'jobs_user_state' },
  'q and two states': {
    filter: { userId: '1', q: 'nothing', states: ['failed', 'active'] }, index: 'jobs_user_state'
  },
  'q and name': { filter: { userId: '1', q: 'nothing', name: 'name1' }, index: 'jobs_user_name' },
  'q, from and to': { filter: { userId: '1', q: 'nothing', ...range }, index: 'jobs_user' },
  'q and sort=finished': { filter: { userId: '1', q: 'nothing', sort: 'finished' }, index: 'jobs_user_finished' },
  'name and sort=finished': {
    filter: { userId: '1', name: 'name1', sort: 'finished' }, index: 'jobs_user_finished', isCovered: true
  },
  'queue, status, from, to and sort=finished': {
    filter: { userId: '1', queue: 'queue1', states: ['failed'], sort: 'finished', ...range },
    index: 'jobs_user_finished',
    isCovered: true
  },
  'status of all users': { filter: { userId: undefined, states: ['failed'] }, index: 'jobs_pkey' },
  'q, from and to of all users': { filter: { userId: undefined, q: 'nothing', ...range }, index: 'jobs_pkey' },
  'status, from, to and sort=finished of all users': {
    filter: { userId: undefined, states: ['failed'], sort: 'finished', ...range }, index: 'jobs_finished'
  }
}

for (const [filtered, { filter, index, isCovered = false }] of Object.entries(scans)) {
  t.test(`a search with ${filtered} reads a range of an index in order, and stops after 10,000 rows`, async t => {
    for (const place of [{ limit: 11, offset: 0 }, { limit: 11, after: middle }]) {
      const make = (sql: RawSql) => scanStep(sql, filter, place)
      const nodes = await nodesOf(make)
      const names = nodes.filter(isScan).map(node => node['Index Name'] ?? node['Node Type'])
      t.same([...new Set(names)].toSorted(), [...new Set([index, 'jobs_pkey'])].toSorted())
      const ranges = nodes.filter(node => isScan(node) && node['Index Name'] !== 'jobs_pkey')
      t.same([...new Set(ranges.map(node => node['Node Type']))], index === 'jobs_pkey' ? [] : ['Index Only Scan'])
      const scans = (await ran(make(sql))).filter(isScan)
      const entries = scans.reduce((sum, node) => sum + (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 1), 0)
      t.ok(entries <= (isCovered ? 1 : 2) * SCAN_STEP + 50, `reads ${entries} entries and rows`)
    }
  })
}

t.test('a list of all users is read in order by key, and counted up to the cap', async t => {
  const everybody = { userId: undefined }
  const make = (sql: RawSql) => selectPage(sql, everybody, { limit: 11, offset: 0 })
  t.same([...new Set((await nodesOf(make)).filter(isScan).map(node => node['Index Name']))], ['jobs_pkey'])
  const entries = await entriesOf(cappedCount(sql, everybody))
  t.ok(entries <= COUNT_CAP + 1, `counting reads ${entries} entries`)
})

const narrowings = { 'no filter': {}, name: { name: 'name1' }, queue: { queue: 'queue1' } }
for (const [filtered, filter] of Object.entries(narrowings)) {
  t.test(`statistics with ${filtered} read two ranges of one index, up to their bound`, async t => {
    const make = (sql: RawSql) => selectStats(sql, { userId: '1', from: at, to: at + MILLION, step: 5000, ...filter })
    const scans = (await nodesOf(make)).filter(isScan)
    const names = scans.map(node => `${node['Node Type']} ${node['Index Name']}`)
    t.same([...new Set(names)], ['Index Only Scan jobs_user_finished'])
    const entries = await entriesOf(make(sql))
    t.ok(entries <= STATS_ROWS + 2, `reads ${entries} entries`)
  })
}

t.test('counts by state are five counters of an index', async t => {
  const [row] = await sql`explain (format json) select state, count from jobs.counts where user_id = '1'`
  const nodes = flatten(row?.['QUERY PLAN'][0].Plan)
  t.same(nodes.flatMap(node => node['Index Name'] ?? []), ['counts_pkey'])
  t.notOk(nodes.some(node => node['Node Type'] === 'Seq Scan'))
  t.same(await countByState(sql, '1'), {
    waiting: 200_000, delayed: 200_000, active: 200_000, completed: 200_000, failed: 200_000
  })
})

t.test('counting stops at 10,000, and reports that; counters have no limit', async t => {
  t.same(await countJobs(sql, { userId: '1', from: 0 }), { total: 10_000, isCapped: true })
  t.same(await countJobs(sql, { userId: '1', to: at + 9000 }), { total: 9000, isCapped: false })
  t.same(await countJobs(sql, { userId: '1', name: 'frequent', queue: 'frequent' }), { total: 8, isCapped: false })
  t.same(await countJobs(sql, { userId: '1' }), { total: MILLION, isCapped: false })
})
