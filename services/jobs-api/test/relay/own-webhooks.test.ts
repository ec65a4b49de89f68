import { UnrecoverableError } from 'bullmq'
import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { worker } from '../bullmq.ts'
import { publishedEvents } from '../published-events.ts'
import { setup, startApp, startServers } from '../setup.ts'
import { submit } from '../submit.ts'
import { untilStates } from '../job-rows.ts'

const webhookUrl = 'https://example.com/hook'

/** Of each job, the published events that carry its webhookUrl. */
async function ownEvents (redis: Parameters<typeof publishedEvents>[0]): Promise<Record<string, string[]>> {
  const types: Record<string, string[]> = {}
  for (const event of await publishedEvents(redis)) {
    types[event.name] ??= []
    if (event.webhookUrl === webhookUrl) types[event.name]?.push(event.type)
  }
  return types
}

const work = async (job: { name: string, updateProgress: (value: number) => Promise<void> }) => {
  await job.updateProgress(50)
  if (job.name.endsWith('fails')) throw new UnrecoverableError('no')
  return 'done'
}

t.test('a job\'s webhookUrl is on the events that its webhookEventType selects, over a restart too', async t => {
  const { redis, env, database } = await startServers(t)
  const first = await startApp(t, env)
  const types = [undefined, 'completed', 'failed', 'all']
  for (const webhookEventType of types) {
    for (const end of ['completes', 'fails']) {
      await submit(first, { name: `${webhookEventType} ${end}`, webhookUrl, ...(webhookEventType && { webhookEventType }) })
    }
  }
  await submit(first, { name: 'none completes' })
  await untilStates(database.sql, Array.from({ length: 9 }, () => 'waiting' as const))
  await first.close()
  const second = await startApp(t, env)
  worker(t, redis, work)
  await untilStates(database.sql, [...types.flatMap(() => ['completed', 'failed']), 'completed'])
  t.same(await ownEvents(second.redis), {
    'undefined completes': ['completed'],
    'undefined fails': [],
    'completed completes': ['completed'],
    'completed fails': [],
    'failed completes': [],
    'failed fails': ['failed'],
    'all completes': ['progress', 'completed'],
    'all fails': ['progress', 'failed'],
    'none completes': []
  })
})

t.test('a cancelled job, a retried one and those of a batch are no exception', async t => {
  const { app, redis, database } = await setup(t)
  const request = async (url: string, payload?: object) => await app.inject({
    method: 'POST', url, headers: { authorization: `Bearer ${tokenOf(7)}` }, ...(payload && { payload })
  })
  const batch = await request('/submit-jobs', {
    jobs: [
      { name: 'cancelled', delay: 60_000, webhookUrl, webhookEventType: 'failed' },
      { name: 'fails', webhookUrl, webhookEventType: 'all' }
    ]
  })
  const [cancelled, failing] = batch.json<{ jobs: { jobId: string }[] }>().jobs
  t.equal((await request(`/jobs/${cancelled?.jobId}/cancel`)).statusCode, 202)
  worker(t, redis, work)
  await untilStates(database.sql, ['failed', 'failed'])
  t.equal((await request(`/jobs/${failing?.jobId}/retry`)).statusCode, 202)
  await until(async () => (await ownEvents(app.redis)).fails?.length === 4)
  t.same(await ownEvents(app.redis), { cancelled: ['failed'], fails: ['progress', 'failed', 'progress', 'failed'] })
})

t.test('an Idempotency-Key distinguishes requests by their webhookEventType', async t => {
  const { app } = await setup(t)
  const request = async (webhookEventType?: string) => (await app.inject({
    method: 'POST',
    url: '/submit-job',
    headers: { authorization: `Bearer ${tokenOf(7)}`, 'idempotency-key': 'k' },
    payload: { name: 'x', webhookUrl, ...(webhookEventType !== undefined && { webhookEventType }) }
  })).statusCode
  t.same([await request('all'), await request('all'), await request('failed'), await request()], [202, 202, 409, 409])
})
