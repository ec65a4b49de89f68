import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRedis, temporaryFolder, until } from '@tidings/testing'
import type { TestContext } from '@tidings/testing'
import { Queue, QueueEvents } from 'bullmq'
import t from 'tap'
import { cancellableWorker } from '../src/cancel-signal.ts'
import { processJob } from '../src/process-job.ts'
import type { JobData } from '../src/process-job.ts'
import type { Summary } from '../src/summarize.ts'

/** Far more than a slow machine takes. */
const PATIENCE_MS = 60_000
const SAMPLES = fileURLToPath(new URL('../data', import.meta.resolve('vega-datasets')))

t.test('reports progress in whole percents, then returns the result', async t => {
  const { queue, events } = await setup(t)
  const reported: unknown[] = []
  events.on('progress', ({ data }) => reported.push(data))

  const job = await queue.add('dataProcessing', { file: 'zipcodes.csv' })
  const result = await job.waitUntilFinished(events, PATIENCE_MS)

  t.match(result, { file: 'zipcodes.csv', rows: 42_049, bytes: 2_018_388 })
  t.same(Object.keys(result.columns), ['zip_code', 'latitude', 'longitude', 'city', 'state', 'county'])
  t.same(reported, Array.from({ length: 100 }, (_, n) => n + 1))
  t.ok(JSON.stringify(result).length < 64 * 1024)
})

t.test('several jobs at once do not disturb each other', async t => {
  const { queue, events } = await setup(t)
  const files = {
    'zipcodes.csv': 42_049,
    'airports.csv': 3_376,
    'stocks.csv': 560,
    'birdstrikes.csv': 10_000,
    'species.csv': 12_360
  }
  const jobs = await queue.addBulk(Object.keys(files).map(file => ({ name: 'dataProcessing', data: { file } })))
  const results = await Promise.all(jobs.map(job => job.waitUntilFinished(events, PATIENCE_MS)))
  t.same(Object.fromEntries(results.map(({ file, rows }) => [file, rows])), files)
})

t.test('permanent faults fail at once, with a message that says what is wrong and where', async t => {
  const { queue, events, folder } = await setup(t, temporaryFolder(t, 'csv'))
  writeFileSync(join(folder, 'broken.csv'), 'a,b\n1,2\n3\n')

  const faults: Array<[string, JobData, string]> = [
    ['dataProcessing', { file: 'broken.csv' }, 'broken.csv: line 3: expected 2 columns, found 1'],
    ['dataProcessing', { file: 'sales.csv' }, 'sales.csv: no such file'],
    [
      'dataProcessing',
      { file: '../sales.csv' },
      '../sales.csv: data.file must be a path below the CSV folder, without ".."'
    ],
    ['dataProcessing', { file: 7 }, 'data.file must name a CSV file, for example { "file": "zipcodes.csv" }'],
    ['dataProcessing', null, 'data.file must name a CSV file, for example { "file": "zipcodes.csv" }'],
    ['sendMail', { file: 'broken.csv' }, 'This worker knows jobs named "dataProcessing" only, not "sendMail". ' +
      'A worker takes every job of its queue: give other jobs a queue of their own.']
  ]
  for (const [name, data, message] of faults) {
    const job = await queue.add(name, data, { attempts: 3 })
    await t.rejects(job.waitUntilFinished(events, PATIENCE_MS), { message })
    t.match(await queue.getJob(job.id as string), { failedReason: message, attemptsMade: 1 })
  }
})

t.test('cancelling in the middle of a large file ends the job there', async t => {
  const { queue, events, folder, client } = await setup(t, temporaryFolder(t, 'csv'))
  writeFileSync(join(folder, 'large.csv'), 'id,city,amount\n' + '12345,São Paulo,12.50\n'.repeat(2_000_000))
  let progress = 0
  events.on('progress', ({ data }) => { progress = Number(data) })

  const job = await queue.add('dataProcessing', { file: 'large.csv' }, { attempts: 3 })
  await until(() => progress > 0)
  await client.multi()
    .set(`{tidings}:cancel:${queue.name}:${job.id}`, job.timestamp, 'PX', 86_400_000)
    .publish(`{tidings}:cancel:${queue.name}`, String(job.id))
    .exec()

  await t.rejects(job.waitUntilFinished(events, PATIENCE_MS), { message: 'Cancelled by user' })
  t.match(await queue.getJob(job.id as string), { failedReason: 'Cancelled by user', attemptsMade: 1 })
  t.ok(progress < 100, `ended at ${progress} %`)
})

async function setup (t: TestContext, folder = SAMPLES) {
  const redis = await startRedis(t)
  const connection = redis.client({ maxRetriesPerRequest: null })
  const queue = new Queue<JobData, Summary>('default', { connection })
  const events = new QueueEvents('default', { connection })
  await events.waitUntilReady()

  const worker = cancellableWorker<JobData, Summary>(
    'default', (job, signal) => processJob(folder, job, signal), { connection, concurrency: 4 })
  t.teardown(async () => {
    worker.cancelAllJobs('the test is over')
    await Promise.all([worker.close(), events.close(), queue.close()])
  })
  return { queue, events, folder, client: redis.client() }
}
