import t from 'tap'
import type { JobStats } from '@tidings/contracts'
import { tokenOf } from '@tidings/testing'
import { makeRows } from '../generate-rows.ts'
import { setup } from '../setup.ts'

const { app, database } = await setup(t, { JOB_RETENTION_DAYS: '36500' })
const at = 1_640_995_200_000
await makeRows(database.sql, { userId: '1', count: 100 }, { userId: '2', count: 5 })
// The i-th job ends i seconds after the start, having run for i milliseconds.
await database.sql`
  update jobs.jobs set finished_ms = ${at}::bigint + (created_ms - ${at}::bigint) * 1000,
    started_ms = ${at}::bigint + (created_ms - ${at}::bigint) * 999
  where user_id = '1' and state >= 3`
await database.sql`update jobs.jobs set started_ms = null where id = '1-4'`

const get = async (query: string, user: string | number = 1) =>
  await app.inject({ url: `/jobs/stats?${query}`, headers: { authorization: `Bearer ${tokenOf(user)}` } })
const stats = async (query: string, user?: string | number) => (await get(query, user)).json<JobStats>()

t.test('count the finished jobs by outcome and bucket, with percentiles of their duration', async t => {
  const { buckets, total, ...range } = await stats(`from=${at}&to=${at + 100_000}&step=50000`)
  t.same(range, { from: at, to: at + 100_000, step: 50_000 })
  t.same(buckets, [
    { from: at, completed: 10, failed: 10, durationMs: { p50: 28, p95: 49 } },
    { from: at + 50_000, completed: 10, failed: 10, durationMs: { p50: 74, p95: 98 } }
  ])
  t.same(total, { completed: 20, failed: 20, durationMs: { p50: 53, p95: 98 } })
  const forms = await stats('from=2022-01-01&to=2022-01-01T00:01:40Z&step=50s')
  t.same(forms, { ...range, total, buckets }, 'times and steps in another form')
})

t.test('buckets without a job are there, and the last one may be shorter', async t => {
  const { buckets } = await stats(`from=${at}&to=${at + 7000}&step=2000`)
  t.same(buckets.map(({ completed, failed }) => [completed, failed]), [[0, 0], [1, 0], [0, 1], [0, 0]])
  t.same(buckets[0]?.durationMs, { p50: null, p95: null })
  t.same(buckets[2]?.durationMs, { p50: null, p95: null }, 'a job that had never started has no duration')
})

t.test('can be narrowed by name and queue', async t => {
  const sum = async (query: string) => (await stats(`from=${at}&to=${at + 100_000}&${query}`)).buckets
    .reduce((all, { completed, failed }) => all + completed + failed, 0)
  t.equal(await sum(''), 40)
  t.equal(await sum('name=name1'), 6)
  t.equal(await sum('queue=queue1'), 14)
  t.equal(await sum('name=name1&queue=queue1'), 2)
  t.equal(await sum('name=none'), 0)
  t.equal(await sum('name=&queue='), 40)
})

t.test('are of the last 24 hours by default, and of the own jobs', async t => {
  const { from, to, step, buckets } = await stats('')
  t.equal(to - from, 24 * 3_600_000)
  t.ok(Date.now() <= to && Date.now() > to - step)
  t.equal(buckets.length, 96)
  t.equal((await stats(`from=${at}&to=${at + 1000}`, 2)).buckets[0]?.completed, 1)
  t.equal((await stats(`from=${at}&to=${at + 1000}`, 3)).buckets[0]?.completed, 0)
})

t.test('refuse an invalid query with the path of the fault', async t => {
  for (const [query, path] of [
    ['step=1000', 'step'], ['step=999', 'step'], ['step=x', 'step'], ['from=-1', 'from'], ['to=1.5', 'to'],
    ['from=2022-13-01', 'from'], ['from=1&from=2', 'from'],
    [`from=${at}&to=${at}`, 'from'], ['colour=red', 'colour'], ['userId=*', 'userId']
  ] as const) {
    const answer = await get(query)
    const status = path === 'userId' ? 403 : 400
    t.equal(answer.statusCode, status, query)
    if (status === 400) t.equal(answer.json().errors[0].path, `querystring.${path}`, query)
  }
})

t.test('that stop at their bound say from when they are complete', async t => {
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, state, created_ms, started_ms, finished_ms)
    select 'default', 'many-' || i, 'many', 'work', 3, i, i, i from generate_series(1, 200100) i`
  const many = await stats('from=0&to=300000&step=150000', 'many')
  t.match(many, { isPartial: true, completeFrom: 102 })
  t.same(many.buckets.map(({ completed }) => completed), [149_899, 50_101])
  t.equal(many.total.completed, 200_000)
})
