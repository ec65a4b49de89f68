import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, spawnService, startRedis, temporaryFolder, until } from '@tidings/testing'
import { Queue } from 'bullmq'
import t from 'tap'

const entry = fileURLToPath(new URL('../src/worker.ts', import.meta.url))

/** Many, so that a slow test still finds the worker busy. */
const ROWS = 1_500_000

t.test('processes jobs, finishes active ones on SIGTERM, and exits with 0', async t => {
  const redis = await startRedis(t)
  const folder = temporaryFolder(t, 'csv')
  writeFileSync(join(folder, 'large.csv'), 'id,city\n' + '12345,London\n'.repeat(ROWS))
  const queue = new Queue('reports', { connection: redis.client({ maxRetriesPerRequest: null }) })
  t.teardown(() => queue.close())

  const service = await spawnService(t, {
    entry,
    env: { REDIS_URL: redis.url, JOB_QUEUE: 'reports', CSV_FOLDER: folder }
  })
  const job = await queue.add('dataProcessing', { file: 'large.csv' })
  await until(async () => await job.isActive())
  const next = await queue.add('dataProcessing', { file: 'large.csv' }, { delay: 600_000 })

  t.same(await service.kill('SIGTERM'), { code: 0, signal: null })
  t.equal(await job.getState(), 'completed')
  t.equal(await next.getState(), 'delayed')
  t.match(service.output(), `waiting for jobs of queue reports, files in ${folder}`)
  t.match(service.output(), `job ${job.id}: large.csv: ${ROWS} rows`)
})

t.test('a job that outlasts the drain is left to another worker, and the exit code is 1', async t => {
  const redis = await startRedis(t)
  const folder = temporaryFolder(t, 'csv')
  writeFileSync(join(folder, 'huge.csv'), 'id,city\n' + '12345,London\n'.repeat(5_000_000))
  const queue = new Queue('default', { connection: redis.client({ maxRetriesPerRequest: null }) })
  t.teardown(() => queue.close())

  const service = await spawnService(t, {
    entry,
    env: { REDIS_URL: redis.url, CSV_FOLDER: folder, DRAIN_SECONDS: '1' }
  })
  const job = await queue.add('dataProcessing', { file: 'huge.csv' })
  await until(async () => await job.isActive())

  t.same(await service.kill('SIGTERM'), { code: 1, signal: null })
  t.match(service.output(), 'csv-worker: not finished after 1 s; leaving what is under way to another worker')
  t.equal(await job.getState(), 'active', 'until its lock runs out')
})

t.test('exits with 0 on SIGINT when it is idle', async t => {
  const redis = await startRedis(t)
  const service = await spawnService(t, { entry, env: { REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) } })
  await until(() => service.output().includes('waiting for jobs of queue default'))
  t.same(await service.kill('SIGINT'), { code: 0, signal: null })
})

t.test('continues after Redis was down', async t => {
  const redis = await startRedis(t)
  const service = await spawnService(t, { entry, env: { REDIS_URL: redis.url } })
  await until(() => service.output().includes('waiting for jobs'))
  await redis.restart()
  await until(() => service.output().includes('is back'))

  const queue = new Queue('default', { connection: redis.client({ maxRetriesPerRequest: null }) })
  t.teardown(() => queue.close())
  const job = await queue.add('dataProcessing', { file: 'airports.csv' })
  await until(async () => await job.isCompleted())
})

t.test('SIGTERM ends it at once with 1 while Redis is down, since no job can finish', async t => {
  const redis = await startRedis(t)
  const service = await spawnService(t, { entry, env: { REDIS_URL: redis.url } })
  await until(() => service.output().includes('waiting for jobs'))
  await redis.kill()
  await until(() => service.output().includes('is away'))
  t.same(await service.kill('SIGTERM'), { code: 1, signal: null })
  t.match(service.output(), 'csv-worker: Redis is away; leaving what is under way to another worker')
})

t.test('reports a Redis that is down in one line, without a stack', async t => {
  const port = await freePort()
  const service = await spawnService(t, {
    entry,
    env: { REDIS_URL: `redis://127.0.0.1:${port}`, REDIS_WAIT_SECONDS: '1' }
  })
  t.same(await service.exited, { code: 1, signal: null })
  t.match(service.output().trim().split('\n'), [
    `Redis at 127.0.0.1:${port} is away (connect ECONNREFUSED 127.0.0.1:${port}); trying again`,
    `csv-worker: Redis at 127.0.0.1:${port}: no answer within 1 s`
  ])
})

t.test('refuses to start with invalid variables', async t => {
  const faulty = await spawnService(t, { entry, env: { CONCURRENCY: 'many', REDIS_PORT: '0' } })
  t.same(await faulty.exited, { code: 1, signal: null })
  t.equal(
    faulty.output().trim(),
    'csv-worker: REDIS_PORT must be a whole number from 1 to 65535; CONCURRENCY must be a whole number from 1 to 64'
  )

  const nowhere = await spawnService(t, { entry, env: { CSV_FOLDER: '/no/such/folder' } })
  t.same(await nowhere.exited, { code: 1, signal: null })
  t.equal(nowhere.output().trim(), 'csv-worker: CSV_FOLDER is not a folder: /no/such/folder')
})
