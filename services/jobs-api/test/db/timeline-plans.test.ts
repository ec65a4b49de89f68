import t, { type Test } from 'tap'
import { createSql, DAY_MS, type RawSql } from '@tidings/service-kit'
import type { PendingQuery, Row } from 'postgres'
import { linesRemoved } from '../../src/db/fragments.ts'
import { selectLines } from '../../src/read/timeline.ts'
import { makeDays } from '../make-days.ts'
import { startApp, startServers } from '../setup.ts'

const DAYS = 30
const JOBS = 60_000
/** At most, as `makeDays` adds them. */
const DAYS_AHEAD = 14
const now = Date.now()
/** Created this long ago, with its lines on that day. */
const daysOf = (n: number) => n % DAYS

const { env } = await startServers(t)
const app = await startApp(t, { ...env, JOB_RETENTION_DAYS: '36500' })
await app.close() // only the tables are needed; nothing writes while plans are read
const sql = createSql(env.DATABASE_URL as string, { max: 1 })
t.teardown(() => sql.end({ timeout: 5 }))
await makeDays(sql, DAYS)
await sql`
  insert into jobs.timeline
  select n, ${now}::bigint - n % ${DAYS}::int * ${DAY_MS}::bigint, line, 'waiting', 1
  from generate_series(1, ${JOBS}::int) as n, generate_series(1, 5) as line`

type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Rows Removed by Filter'?: number
  Plans?: Node[]
  'Shared Hit Blocks'?: number
  'Shared Read Blocks'?: number
}
type Plan = { 'QUERY PLAN': [{ Plan: Node }] }

const flatten = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flatten)]

async function planOf<R extends Row> (query: PendingQuery<R[]>): Promise<{ scans: Node[], blocks: number }> {
  const [row] = await sql<[Plan]>`explain (analyze, buffers, format json) ${query}`
  const [root, ...rest] = flatten(row['QUERY PLAN'][0].Plan) as [Node, ...Node[]]
  return {
    scans: [root, ...rest].filter(node =>
      node['Relation Name']?.startsWith('timeline') && node['Node Type'] !== 'ModifyTable'),
    blocks: (root['Shared Hit Blocks'] ?? 0) + (root['Shared Read Blocks'] ?? 0)
  }
}

const erasure = (sql: RawSql, jobs: number) => sql`
  with removed as materialized (select n::bigint from generate_series(1, ${jobs}::int) as n), ${linesRemoved(sql, 0)} select 1`

/** A day that is still empty may be scanned. */
const readsOthers = (scans: Node[]) => scans.some(node => (node['Rows Removed by Filter'] ?? 0) > 0)

async function areCheap (t: Test): Promise<void> {
  for (const n of [1, 15, 29]) {
    const job = { n, created_ms: now - daysOf(n) * DAY_MS, generation_ms: 0 }
    const { scans, blocks } = await planOf(selectLines(sql, job))
    t.notOk(readsOthers(scans), 'each day is read by its index')
    const tables = new Set(scans.map(node => node['Relation Name']))
    // From the day before the job's first to those ahead, with the two that are no days.
    t.ok(tables.size <= daysOf(n) + 2 + DAYS_AHEAD + 2, `a job of ${daysOf(n)} days ago: ${tables.size} tables`)
    t.ok(blocks <= 5 * tables.size, `${blocks} blocks`)
  }
  const { scans } = await planOf(erasure(sql, 200))
  t.notOk(readsOthers(scans), 'an erasure reads no day as a whole')
}

t.test('timelines are read by index in the days of their job, though the table was never analyzed', areCheap)

t.test('the same where Postgres knows the rows', async t => {
  await sql`vacuum analyze jobs.timeline`
  await areCheap(t)
})
