import t from 'tap'
import { createSql, type RawSql } from '@tidings/service-kit'
import { cappedCount, countJobs } from '../../src/read/count-jobs.ts'
import type { JobFilter } from '../../src/read/job-filter.ts'
import { selectPage, type Place } from '../../src/read/list-jobs.ts'
import { makeRows } from '../rows.ts'
import { startApp, startServers } from '../setup.ts'

const { env, database } = await startServers(t)
const app = await startApp(t, { ...env, JOB_RETENTION_DAYS: '36500' })
await app.close() // the tables are all this needs; nobody writes while plans are looked at
const sql = createSql(env.DATABASE_URL as string)
t.teardown(() => sql.end({ timeout: 5 }))

// One user with a fifth of the rows, and many with few: what a plan may be misled by.
await makeRows(database.sql, { userId: '1', count: 20_000 })
for (let user = 2; user < 30; user++) await makeRows(database.sql, { userId: String(user), count: user === 2 ? 60_000 : 500 })

type Node = { 'Node Type': string, 'Relation Name'?: string, 'Index Name'?: string, Filter?: string, Plans?: Node[] }
type Query = ReturnType<typeof selectPage> | ReturnType<typeof cappedCount>

/** The nodes of the plan for these very values, and of the one for any: Postgres may come to use either. */
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

const isScan = (node: Node) => node['Relation Name'] === 'jobs'
const at = 1_640_995_200_000
const places: Record<string, Place> = {
  'the first page': { limit: 11, offset: 0 },
  'a far page': { limit: 11, offset: 15_000 },
  'behind a cursor': { limit: 11, after: { createdMs: at + 10_000, n: 10_000, page: 2 } }
}
const one: Record<string, Partial<JobFilter>> = {
  'no filter': {},
  status: { state: 'failed' },
  name: { name: 'name1' },
  queue: { queue: 'queue1' },
  'name and status': { name: 'name1', state: 'failed' },
  'queue and status': { queue: 'queue1', state: 'active' },
  'from and to': { from: at + 5000, to: at + 15_000 },
  'status, from and to': { state: 'completed', from: at + 5000, to: at + 15_000 },
  'name, from and to': { name: 'name1', from: at + 5000, to: at + 15_000 }
}

for (const [filtered, filter] of Object.entries(one)) {
  for (const [placed, place] of Object.entries(places)) {
    t.test(`${placed} with ${filtered} is found in an index alone, and read by primary key`, async t => {
      const nodes = await nodesOf(sql => selectPage(sql, { userId: '1', ...filter }, place))
      const scans = nodes.filter(isScan).map(node => `${node['Node Type']} ${node['Index Name'] === 'jobs_pkey' ? 'by key' : 'by range'}`)
      t.same([...new Set(scans)].toSorted(), ['Index Only Scan by range', 'Index Scan by key'])
      t.notOk(nodes.some(node => node.Filter), 'no row is read to be left out')
      t.notOk(nodes.some(node => node['Node Type'].includes('Sort')), 'all come in order')
    })
  }
}

for (const [filtered, filter] of Object.entries(one).slice(2)) {
  t.test(`counting with ${filtered} is index only`, async t => {
    const nodes = await nodesOf(sql => cappedCount(sql, { userId: '1', ...filter }))
    t.same([...new Set(nodes.filter(isScan).map(node => node['Node Type']))], ['Index Only Scan'])
    t.notOk(nodes.some(node => node.Filter))
  })
}

t.test('name and queue together are ranges of one index; its rows are looked at for the other', async t => {
  const nodes = await nodesOf(sql => selectPage(sql, { userId: '1', name: 'name1', queue: 'queue1', state: 'failed' }, { limit: 11, offset: 0 }))
  t.ok(nodes.filter(isScan).every(node => node['Node Type'] === 'Index Scan'))
})

t.test('counting stops at 10,000, and says so; counters know no bound', async t => {
  t.same(await countJobs(sql, { userId: '1', from: 0 }), { total: 10_000, isCapped: true })
  t.same(await countJobs(sql, { userId: '1', to: at + 9000 }), { total: 9000, isCapped: false })
  t.same(await countJobs(sql, { userId: '1' }), { total: 20_000, isCapped: false })
})
