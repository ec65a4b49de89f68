import { setTimeout as sleep } from 'node:timers/promises'
import { DelayedError, UnrecoverableError, type Job as BullmqJob } from 'bullmq'
import t from 'tap'
import type { JobTimeline } from '@tidings/contracts'
import { tokenOf, until } from '@tidings/testing'
import { worker } from '../bullmq.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'

const { app, redis } = await setup(t)
const { promise: held, resolve: release } = Promise.withResolvers<void>()
type Steps = Record<string, (job: BullmqJob, token?: string) => Promise<unknown>>
const attempts = new Map<string, number>()
const steps: Steps = {
  async reports (job) {
    for (let i = 0; i < (job.data as { count: number }).count; i++) await job.updateProgress(i)
  },
  async odd (job) {
    await job.updateProgress({ n: 1.5, a: 'x' })
    await sleep(120) // longer than the time of which the first progress is sampled
    await job.updateProgress('x'.repeat(600))
  },
  async holds (job) {
    await job.updateProgress(42)
    await held
  },
  async fails (job) {
    const attempt = (attempts.get(job.id as string) ?? 0) + 1
    attempts.set(job.id as string, attempt)
    throw new TypeError(`failure ${attempt}: no\nluck`)
  },
  async steps (job, token) {
    const attempt = (attempts.get(job.id as string) ?? 0) + 1
    attempts.set(job.id as string, attempt)
    if (attempt === 1) throw new Error('the first')
    if (attempt > 2) {
      // The error of a step would be read from BullMQ, which has another one by then.
      await until(async () => (await timeline(job.id as string)).attempts[1]?.finished)
      throw new UnrecoverableError('the last')
    }
    await job.moveToDelayed(Date.now() + 1, token)
    throw new DelayedError()
  }
}
worker(t, redis, async (job, token) => await steps[job.name]?.(job, token))

const get = async (jobId: string, query = '?include=progress', user = 7) => await app.inject({
  url: `/jobs/${jobId}/events${query}`, headers: { authorization: `Bearer ${tokenOf(user)}` }
})
const timeline = async (jobId: string) => (await get(jobId)).json<Required<JobTimeline>>()
async function ended (jobId: string): Promise<Required<JobTimeline>> {
  await until(async () => ['completed', 'failed'].includes((await timeline(jobId)).events.at(-1)?.type ?? ''))
  return await timeline(jobId)
}

t.test('without include there are events alone', async t => {
  const jobId = await submit(app, { name: 'reports', data: { count: 3 } })
  await ended(jobId)
  for (const query of ['', '?include=']) t.same(Object.keys((await get(jobId, query)).json()), ['events'], query)
  t.same((await get(jobId, '')).json().events.map(({ type }: { type: string }) => type),
    ['added', 'waiting', 'active', 'completed'])
  t.match((await get(jobId, '?include=all')).json(), { status: 400, errors: [{ path: 'querystring.include' }] })
  t.equal((await get(jobId, undefined, 8)).statusCode, 404)
})

t.test('the first and the last progress are there, with their time and as they were reported', async t => {
  const { progress, attempts, events } = await ended(await submit(app, { name: 'reports', data: { count: 20 } }))
  t.same([progress[0]?.progress, progress.at(-1)?.progress], [0, 19])
  const [started = 0, finished = 0] = events.slice(-2).map(({ timestamp }) => timestamp)
  t.ok(progress.every(({ timestamp }) => timestamp >= started && timestamp <= finished))
  t.same(attempts, [{ number: 1, started, finished, outcome: 'completed' }])

  const odd = await submit(app, { name: 'odd' })
  await ended(odd)
  t.match((await get(odd)).body, '"progress":{"n":1.5,"a":"x"}}')
  t.match((await timeline(odd)).progress.at(-1), { progress: null, progressTruncated: true })
})

t.test('a job that is still active shows its progress', async t => {
  const jobId = await submit(app, { name: 'holds' })
  await until(async () => (await timeline(jobId)).progress.at(-1)?.progress === 42, { what: 'progress to be there' })
  t.match((await timeline(jobId)).attempts, [{ number: 1, finished: null, outcome: null }])
  release()
  t.match((await ended(jobId)).progress, [{ progress: 42 }])
})

t.test('attempts have the error of each, though BullMQ has written only the last by then', async t => {
  const jobId = await submit(app, { name: 'fails', attempts: 4 })
  const { attempts: fast, events } = await ended(jobId)
  t.same(fast.map(({ number, outcome, error }) => [number, outcome, error]), [1, 2, 3, 4].map(number =>
    [number, 'failed', `failure ${number}: no\nluck`]))
  t.same(events.filter(({ error }) => error).map(({ type }) => type), ['waiting', 'waiting', 'waiting', 'failed'])
  t.ok(fast.every(({ started, finished }) => finished !== null && finished >= started))

  const later = await submit(app, { name: 'fails', attempts: 2, backoff: { type: 'fixed', delay: 20 } })
  const { attempts: slow } = await ended(later)
  t.same(slow.map(({ error }) => error), ['failure 1: no\nluck', 'failure 2: no\nluck'])
})

t.test('an attempt that ends without a failure has no error', async t => {
  const jobId = await submit(app, { name: 'steps', attempts: 5, backoff: { type: 'fixed', delay: 300 } })
  t.match((await ended(jobId)).attempts, [
    { number: 1, outcome: 'failed', error: 'the first' },
    { number: 2, outcome: 'interrupted', error: undefined },
    { number: 3, outcome: 'failed', error: 'the last' }
  ])
})
