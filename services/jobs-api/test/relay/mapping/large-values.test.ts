import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { worker } from '../../bullmq.ts'
import { untilStates } from '../../job-rows.ts'
import { setup } from '../../setup.ts'
import { submit } from '../../submit.ts'
import { publishedEvents } from '../../published-events.ts'

t.test('a result above 64 KiB is stored but not published, above 1 MiB not stored; an error is cut', async t => {
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
  t.same([...kept], [{ result: null, error: null }, { result: 100_002, error: null }, { result: null, error: null }, {
    result: null, error: 50_000
  }])
  const ended = (await publishedEvents(app.redis)).filter(({ type }) => type === 'completed' || type === 'failed')
  t.equal(ended.length, jobs.length)
  const ends = ended.toSorted((a, b) => jobs.indexOf(a.jobId) - jobs.indexOf(b.jobId)) // they run concurrently
  t.same(ends.map(({ resultTruncated, errorTruncated }) => [resultTruncated, errorTruncated]), [
    [undefined, undefined], [true, undefined], [true, undefined], [undefined, true]
  ])
  t.same(ends.map(({ result }) => typeof result), ['string', 'undefined', 'undefined', 'undefined'])
  t.equal(Buffer.byteLength(ends[3]?.error as string), 64 * 1024)

  const metrics = await app.metricsRegistry.metrics()
  t.match(metrics, /tidings_relay_large_values_total\{queue="default",stored="yes"\} 2/)
  t.match(metrics, /tidings_relay_large_values_total\{queue="default",stored="no"\} 1/)

  const shown = await Promise.all(ends.map(async ({ jobId }) =>
    (await app.inject({ url: `/jobs/${jobId}`, headers: { authorization: `Bearer ${tokenOf(7)}` } })).json()))
  t.same(
    shown.map(({ resultTruncated }) => resultTruncated === true), [false, false, true, false],
    'only a value that is not stored is truncated'
  )
  t.same(shown.map(({ result }) => result?.length), [1000, 100_000, undefined, undefined])
  t.equal(shown[3].failedReason.length, 50_000)
  t.notOk('errorTruncated' in shown[3])
})

t.test('progress above 64 KiB is shown by GET only, above 1 MiB not at all; smaller progress replaces it', async t => {
  const { app, redis, database } = await setup(t)
  const steps = ['x'.repeat(70_000), 'ä'.repeat(300_000), 'x'.repeat(1_100_000), 'small', null]
  const seen: object[] = []
  worker(t, redis, async job => {
    for (const [index, step] of steps.entries()) {
      await job.updateProgress(step as string)
      const alone = await until(async () => {
        const events = (await publishedEvents(app.redis)).filter(({ type }) => type === 'progress')
        const last = events[index]
        return last && await jobAt(app, job.id as string, last.eventId)
      })
      const [listed] = (await get(app, '/jobs')).jobs
      seen.push({
        alone: alone.progress?.length ?? alone.progress,
        flag: alone.progressTruncated,
        listed: listed.progress?.length ?? listed.progress,
        listedFlag: listed.progressTruncated
      })
    }
  })
  await submit(app)
  await untilStates(database.sql, ['completed'])
  t.same(seen, [
    { alone: 70_000, flag: undefined, listed: null, listedFlag: true },
    { alone: 300_000, flag: undefined, listed: null, listedFlag: true },
    { alone: null, flag: true, listed: null, listedFlag: true },
    { alone: 5, flag: undefined, listed: 5, listedFlag: undefined },
    { alone: null, flag: undefined, listed: null, listedFlag: undefined }
  ])
  const shown = (await publishedEvents(app.redis)).filter(({ type }) => type === 'progress')
  t.same(shown.map(({ progress, progressTruncated }) => [progress, progressTruncated]), [
    [undefined, true], [undefined, true], [undefined, true], ['small', undefined], [null, undefined]
  ])
})

t.test('an error above 1 MiB is shown in part, in the timeline too', async t => {
  const { app, redis, database } = await setup(t)
  worker(t, redis, async () => { throw new Error('😀'.repeat(300_000)) })
  const jobId = await submit(app)
  await untilStates(database.sql, ['failed'])
  const job = await get(app, `/jobs/${jobId}`)
  t.match(job, { errorTruncated: true })
  t.equal(job.failedReason, '😀'.repeat(256 * 1024), 'truncated between characters')
  const { events } = await get(app, `/jobs/${jobId}/events`)
  t.match(events.at(-1), { type: 'failed', errorTruncated: true, error: '😀'.repeat(16 * 1024) })
})

t.test('a value nested too deep to be read is reported as too large', async t => {
  const { app, redis, database } = await setup(t)
  worker(t, redis, async () => {})
  const jobId = await submit(app, { delay: 60_000 })
  await untilStates(database.sql, ['delayed'])
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  await app.redis.xadd('bull:default:events', '*', 'event', 'progress', 'jobId', jobId, 'data', deep)
  await app.redis.xadd('bull:default:events', '*', 'event', 'completed', 'jobId', jobId, 'returnvalue', deep)
  await untilStates(database.sql, ['completed'])
  t.match(await get(app, `/jobs/${jobId}`), {
    progress: null, progressTruncated: true, result: null, resultTruncated: true
  })
})

const headers = { authorization: `Bearer ${tokenOf(7)}` }
type App = Awaited<ReturnType<typeof setup>>['app']

async function get (app: App, url: string) {
  return (await app.inject({ url, headers })).json()
}

async function jobAt (app: App, jobId: string, after: string) {
  return await get(app, `/jobs/${jobId}?after=${after}`)
}
