import t, { type Test } from 'tap'
import { DAY_MS, partitionsOf, type RawSql } from '@tidings/service-kit'
import { TIMELINE } from '../../src/db/timeline-days.ts'
import { removeOldJobs } from '../../src/maintenance/remove-old-jobs.ts'
import { removeOldLines } from '../../src/maintenance/remove-old-lines.ts'
import { readTimeline } from '../../src/read/timeline.ts'
import { makeDays } from '../make-days.ts'
import { setup } from '../setup.ts'

const { signal } = new AbortController()
const now = Date.now()
const ago = (days: number) => now - days * DAY_MS

type Job = { created: number, finished?: number, lines: number[] }

async function setupDays (t: Test) {
  const { app } = await setup(t, { JOB_RETENTION_DAYS: '3650' }) // so that its own retention finds nothing
  const { sql } = app
  await makeDays(sql, 9)
  const oldest = async () => Math.floor((now - ((await partitionsOf(sql, TIMELINE)).ranges[0]?.from ?? 0)) / DAY_MS)
  return { sql, oldest, makeJob: async (job: Job) => await insertJob(sql, job) }
}

/** A job and its lines, by days ago. */
async function insertJob (sql: RawSql, { created, finished, lines }: Job) {
  const [job] = await sql<{ n: number, state: number, created_ms: number, generation_ms: number }[]>`
    insert into jobs.jobs (queue, id, user_id, name, state, created_ms, finished_ms, ours)
    select 'q', gen_random_uuid(), '7', 'n', ${finished === undefined ? 1 : 3}, ${ago(created)}, ${finished === undefined ? null : ago(finished)}, true
    returning n, state, created_ms, generation_ms`
  if (!job) throw new Error('no row')
  for (const days of lines) {
    await sql`insert into jobs.timeline values (${job.n}, ${ago(days)}, 0, 'waiting', ${ago(days)})`
  }
  return job
}

t.test('days older than the retention are dropped whole, with the lines of removed jobs; later ones stay', async t => {
  const { sql, oldest, makeJob } = await setupDays(t)
  const old = await makeJob({ created: 8, finished: 7, lines: [8, 7] })
  const young = await makeJob({ created: 4, finished: 4, lines: [4] })
  t.equal(await removeOldJobs(sql, { days: 5, signal }), 1)
  t.equal((await sql`select from jobs.timeline where job = ${old.n}`).length, 2, 'its lines go with their days')
  t.equal(await removeOldLines(sql, { days: 5, signal: AbortSignal.abort() }), 0, 'a closing service does not start')
  t.ok(await removeOldLines(sql, { days: 5, signal }) >= 3)
  t.same(await sql`select job from jobs.timeline`, [{ job: young.n }])
  t.equal(await oldest(), 5)
  t.same(await sql`select from jobs.timeline_kept`, [])
})

t.test('a job that outlives its days keeps its whole timeline, until it is removed itself', async t => {
  const { sql, makeJob } = await setupDays(t)
  const delayed = await makeJob({ created: 8, lines: [8, 7, 1] })
  const late = await makeJob({ created: 7, finished: 2, lines: [7, 2] })
  const eventsOf = async (job: typeof delayed) =>
    (await readTimeline(sql, job)).events.map(({ timestamp }) => timestamp)
  await removeOldJobs(sql, { days: 5, signal })
  await removeOldLines(sql, { days: 5, signal })
  t.equal((await sql`select from jobs.timeline_kept`).length, 3)
  t.same(await eventsOf(delayed), [ago(8), ago(7), ago(1)])
  t.same(await eventsOf(late), [ago(7), ago(2)])

  t.comment('copied, and not dropped yet')
  await sql`insert into jobs.timeline_kept select * from jobs.timeline`
  t.same(await eventsOf(delayed), [ago(8), ago(7), ago(1)])

  await sql`update jobs.jobs set state = 3, finished_ms = ${ago(6)} where n = ${delayed.n}`
  t.equal(await removeOldJobs(sql, { days: 5, signal }), 1)
  t.same(await sql`select distinct job from jobs.timeline_kept`, [{ job: late.n }])
})

t.test('lines of no job, outside of all days or kept, are removed with the next day', async t => {
  const { sql, makeJob } = await setupDays(t)
  const job = await makeJob({ created: 1, lines: [-1000] })
  await sql`insert into jobs.timeline values (${job.n + 1}, ${ago(-1000)}, 0, 'waiting', 1)`
  await sql`insert into jobs.timeline_kept values (${job.n + 1}, ${ago(8)}, 0, 'waiting', 1)`
  t.equal((await readTimeline(sql, job)).events.length, 1, 'a line of the far future is read')
  await removeOldLines(sql, { days: 5, signal })
  t.same(await sql`select job from jobs.timeline_default`, [{ job: job.n }])
  t.same(await sql`select from jobs.timeline_kept`, [])
})
