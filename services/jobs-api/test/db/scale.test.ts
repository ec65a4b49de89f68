import t from 'tap'
import { createSql, DAY_MS } from '@tidings/service-kit'
import { removeOldJobs } from '../../src/maintenance/remove-old-jobs.ts'
import { removeOldLines } from '../../src/maintenance/remove-old-lines.ts'
import { selectLines } from '../../src/read/timeline.ts'
import { makeManyRows } from '../generate-rows.ts'
import { makeDays } from '../make-days.ts'
import { startApp, startServers } from '../setup.ts'

/** `npm run scale` sets SCALE=long; SCALE_ROWS are fewer for a try. */
const skip = process.env.SCALE === 'long' ? false : '`npm run scale` fills two million jobs'
const JOBS = Number(process.env.SCALE_ROWS ?? 10_000_000) / 5
const LINES = 5
const now = Date.now()
t.setTimeout(7_200_000)
/** The runner shows the comments of failed tests only. */
const report = (text: string) => process.stderr.write(`${text}\n`)

t.test('two million jobs with ten million lines', { skip }, async t => {
  const { env, database } = await startServers(t)
  const app = await startApp(t, { ...env, JOB_RETENTION_DAYS: '36500' })
  await app.close() // nobody else writes
  const sql = createSql(database.url, { max: 3, connection: { statement_timeout: 0 } })
  t.teardown(() => sql.end({ timeout: 5 }))
  await makeDays(sql, 35)
  await makeManyRows(database.sql, { userId: '1', count: JOBS, createdMs: now - 40 * DAY_MS })
  // One job of a thousand is left when its day is old: it finished ten days ago.
  await sql`
    update jobs.jobs set state = 3, created_ms = ${now - 32 * DAY_MS},
      finished_ms = case when n % 1000 = 0 then ${now - 10 * DAY_MS} else ${now - 31 * DAY_MS - 1000}::bigint end`
  await sql`
    insert into jobs.timeline select n, ${now - 32 * DAY_MS}, line, 'waiting', 1
    from jobs.jobs cross join generate_series(1, ${LINES}::int) as line order by n`
  await sql`vacuum analyze jobs.jobs, jobs.timeline`

  const { signal } = new AbortController()
  await t.test('a timeline is read from few blocks', async t => {
    const [row] = await sql`
      explain (analyze, buffers, format json) ${selectLines(sql, { n: 1000, created_ms: now - 32 * DAY_MS, generation_ms: 0 })}`
    const plan = row?.['QUERY PLAN'][0].Plan as Record<string, number>
    const blocks = (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0)
    t.ok(blocks <= 5 * 50, `${blocks} blocks`)
  })

  await t.test('a day is dropped beside a writer, which hardly waits; lines of remaining jobs are kept', async t => {
    await sql`delete from jobs.jobs where n % 1000 <> 0 and n > 5000` // in one statement, as only the drop is tested
    t.equal(await removeOldJobs(sql, { days: 30, signal }), 4995)
    const stopping = new AbortController()
    const writing = (async () => {
      let written = 0
      while (!stopping.signal.aborted) {
        written++
        await sql.begin(async tx => {
          await tx`set local lock_timeout = '1s'`
          await tx`insert into jobs.timeline values (1, ${now}, ${written}, 'waiting', 1)`
        })
      }
      return written
    })()
    const start = performance.now()
    t.ok(await removeOldLines(sql, { days: 30, signal }) > 0)
    report(`${Math.round(performance.now() - start)} ms`)
    stopping.abort()
    const written = await writing
    t.equal((await sql`select from jobs.timeline_kept`).length, JOBS / 1000 * LINES)
    t.equal((await sql`select from jobs.timeline`).length, written)
  })
})
