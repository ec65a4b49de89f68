import t from 'tap'
import { tokenOf } from '@tidings/testing'
import { worker } from '../bullmq.ts'
import { untilStates } from '../job-rows.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'
import { toldEvents } from '../told.ts'

t.test('a result above 64 KiB is kept and not told, above 1 MiB it is not kept; an error is told in part', async t => {
  const { app, redis, database } = await setup(t)
  worker(t, redis, async job => {
    if (job.name === 'fails') throw new Error('ä'.repeat(50_000))
    return 'x'.repeat(Number(job.data.size))
  })
  const jobs = [
    await submit(app, { data: { size: 1000 } }),
    await submit(app, { data: { size: 100_000 } }),
    await submit(app, { data: { size: 1_100_000 } }),
    await submit(app, { name: 'fails' })
  ]
  await untilStates(database.sql, ['completed', 'completed', 'completed', 'failed'])
  const kept = await database.sql`
    select length(results.result::text) as result, length(results.error) as error
    from jobs.jobs left join jobs.results using (queue, id, generation_ms, generation_seq) order by n`
  t.same([...kept], [{ result: null, error: null }, { result: 100_002, error: null }, { result: null, error: null }, { result: null, error: 50_000 }])
  const ended = (await toldEvents(app.redis)).filter(({ type }) => type === 'completed' || type === 'failed')
  t.equal(ended.length, jobs.length)
  const ends = ended.toSorted((a, b) => jobs.indexOf(a.jobId) - jobs.indexOf(b.jobId)) // they run beside each other
  t.same(ends.map(({ resultTruncated }) => resultTruncated === true), [false, true, true, true])
  t.same(ends.map(({ result }) => typeof result), ['string', 'undefined', 'undefined', 'undefined'])
  t.equal(Buffer.byteLength(ends[3]?.error as string), 64 * 1024)

  const metrics = await app.metricsRegistry.metrics()
  t.match(metrics, /tidings_relay_large_results_total\{queue="default",kept="yes"\} 2/)
  t.match(metrics, /tidings_relay_large_results_total\{queue="default",kept="no"\} 1/)

  const told = await Promise.all(ends.map(async ({ jobId }) =>
    (await app.inject({ url: `/jobs/${jobId}`, headers: { authorization: `Bearer ${tokenOf(7)}` } })).json()))
  t.same(told.map(({ resultTruncated }) => resultTruncated === true), [false, false, true, false], 'only what is not kept reads as cut off')
  t.same(told.map(({ result }) => result?.length), [1000, 100_000, undefined, undefined])
  t.equal(told[3].failedReason.length, 50_000)
})
