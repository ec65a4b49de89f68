import t from 'tap'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { until } from '@tidings/testing'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { removeOldJobs } from '../../src/maintenance/remove-old-jobs.ts'
import { setup } from '../setup.ts'

const run = promisify(execFile)
const DAY_MS = 86_400_000
const { signal } = new AbortController()

t.test('old finished jobs are removed with large values and kept lines, and counted out; open jobs stay', async t => {
  const { app } = await setup(t, { JOB_RETENTION_DAYS: '3650' }) // so that its own retention finds nothing
  const { sql } = app
  await sql`
    insert into jobs.jobs (queue, id, user_id, name, state, created_ms, finished_ms, ours)
    select 'q', i::text, (i % 3)::text, 'n', case when i <= 1200 then 3 + i % 2 when i <= 1300 then 3 else i % 3 end, 0,
           case when i <= 1200 then ${Date.now() - 31 * DAY_MS}::bigint when i <= 1300 then ${Date.now() - 29 * DAY_MS}::bigint end, true
    from generate_series(1, 1400) i`
  await sql`insert into jobs.counts select user_id, state, count(*) from jobs.jobs group by user_id, state`
  await sql`insert into jobs.timeline_kept select n, 1, 1, 'added', 1 from jobs.jobs`
  await sql`insert into jobs.results select queue, id, generation_ms, generation_seq, '1' from jobs.jobs`

  t.equal(await removeOldJobs(sql, { days: 30, signal: AbortSignal.abort() }), 0, 'a closing service does not start')
  t.equal(await removeOldJobs(sql, { days: 30, signal }), 1200)
  for (const table of ['jobs', 'timeline_kept', 'results']) {
    t.equal((await sql.unsafe(`select 1 from jobs.${table}`)).length, 200, table)
  }
  t.same(await compareCounts(sql), [])
  t.equal(await removeOldJobs(sql, { days: 30, signal }), 0)
})

t.test('the service runs retention periodically, and counts the removed jobs', async t => {
  const { app, database } = await setup(t, { JOB_RETENTION_DAYS: '7', RETENTION_INTERVAL_MS: '100' })
  const finish = async (id: string, daysAgo: number) => {
    await database.sql`
      insert into jobs.jobs (queue, id, user_id, name, state, created_ms, finished_ms) values ('q', ${id}, '7', 'n', 3, 0, ${Date.now() - daysAgo * DAY_MS})`
  }
  await finish('young', 6)
  for (const id of ['one', 'two']) {
    await finish(id, 8)
    await until(async () => (await database.sql`select id from jobs.jobs`).map(row => row.id).join() === 'young')
  }
  await until(async () => /tidings_retention_removed_jobs_total 2/.test(await app.metricsRegistry.metrics()))
})

t.test('node src/counts-check.ts lists the counters that differ', async t => {
  const { app, env } = await setup(t)
  const entry = fileURLToPath(new URL('../../src/counts-check.ts', import.meta.url))
  const options = { env: { ...process.env, ...env, NODE_OPTIONS: '' } }
  t.match((await run(process.execPath, [entry], options)).stdout, 'All counters equal a full count.')
  await app.sql`insert into jobs.counts values ('7', 2, 5)`
  const failed = await run(process.execPath, [entry], options).catch((err: { code: number, stdout: string }) => err)
  t.match(failed, { code: 1, stdout: /user 7: 0 jobs are active, the counter is 5\n1 counters differ\./ })
})
