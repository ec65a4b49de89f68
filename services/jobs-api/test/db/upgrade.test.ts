import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createSql, DAY_MS, partitionsOf, postgres } from '@tidings/service-kit'
import { migrationsBefore } from '@tidings/testing'
import { TIMELINE } from '../../src/db/timeline-days.ts'
import { removeOldLines } from '../../src/maintenance/remove-old-lines.ts'
import { readTimeline } from '../../src/read/timeline.ts'
import { startApp, startServers } from '../setup.ts'

const MIGRATIONS = new URL('../../src/db/migrations/', import.meta.url)
/** The first migration after the release before the timeline had days. */
const FIRST = '0010a_timeline_bound'
const now = Date.now()

/** A database as the release before left it. */
async function setupBefore (t: Test) {
  const servers = await startServers(t)
  await migrate(t, servers.database.url, migrationsBefore(t, MIGRATIONS, FIRST))
  const sql = createSql(servers.database.url)
  t.teardown(() => sql.end({ timeout: 5 }))
  return { ...servers, sql }
}

async function migrate (t: Test, url: string, migrations: URL): Promise<void> {
  const app = Fastify().register(postgres, { url, schema: 'jobs', migrations })
  t.teardown(() => app.close())
  await app.ready()
}

const job = { n: 1, state: 0, created_ms: now, generation_ms: 0 }

t.test('a timeline of the release before is read, written by both, and dropped when its last day is old', async t => {
  const { sql, env } = await setupBefore(t)
  await sql`insert into jobs.jobs (queue, id, user_id, name, created_ms, ours) values ('q', 'a', '7', 'n', ${now}, true)`
  await sql`insert into jobs.timeline select 1, ${now - 40 * DAY_MS}::bigint + n * 3600000::bigint, n, 'waiting', n from generate_series(1, 960) as n`
  const filesOf = async (name: string) => await sql`select pg_relation_filenode(${`jobs.${name}`}::regclass) as file`
  const [file] = await filesOf('timeline')
  const app = await startApp(t, { ...env, JOB_RETENTION_DAYS: '3650' })
  t.same(await filesOf('timeline_before'), [file], 'no row was copied')

  const insert = async (days: number) => await sql`
    insert into jobs.timeline (job, event_ms, event_seq, type, timestamp, error, error_truncated)
    select 1, ${now + days * DAY_MS}, 9999, 'active', 1, null, false`
  for (const days of [0, 1, 2, 3]) await insert(days)
  t.equal((await sql`select from jobs.timeline_before`).length, 962, 'today and tomorrow are in the first partition')
  t.equal((await readTimeline(app.sql, { ...job, created_ms: now - 40 * DAY_MS })).events.length, 964)
  const before = await sql`
    with removed as (select 1::bigint as n) delete from jobs.timeline using removed where timeline.job = removed.n and event_seq = 9999 returning 1`
  t.equal(before.length, 4, 'a statement of the release before')

  await sql`update jobs.jobs set state = 3, finished_ms = ${now}`
  await sql`delete from jobs.jobs`
  const { signal } = new AbortController()
  t.equal(await removeOldLines(app.sql, { days: 1, signal }), 0, 'the first partition has lines of today')
  const [first] = (await partitionsOf(app.sql, TIMELINE)).ranges
  t.same(first?.name, 'jobs.timeline_before')
  t.ok(await removeOldLines(app.sql, { days: -3, signal }) >= 1)
  t.notSame((await partitionsOf(app.sql, TIMELINE)).ranges[0]?.name, 'jobs.timeline_before')
  t.same(await sql`select from jobs.timeline`, [])
})

t.test('lines of a clock that ran ahead do not stop the upgrade', async t => {
  const { sql, env } = await setupBefore(t)
  await sql`insert into jobs.timeline values (1, ${now + 1000 * DAY_MS}, 0, 'waiting', 1), (1, ${now}, 0, 'waiting', 1)`
  const app = await startApp(t, env)
  t.equal((await readTimeline(app.sql, job)).events.length, 2)
  await sql`insert into jobs.timeline values (1, ${now + 1}, 0, 'active', 1)`
  t.equal((await sql`select from jobs.timeline_before`).length, 3)
})
