import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { setup, startApp } from '../setup.ts'
import { submit } from '../submit.ts'

const { app, redis, database, env } = await setup(t, { JOB_QUEUES: 'default,idle', JOBS_KEEP_FINISHED_MS: '60000' })
const hidden = await startApp(t, { ...env, JOB_QUEUES: 'idle', JOB_DATA_VISIBLE: 'false' })
worker(t, redis, async () => 'done')

type Get = { query?: string, user?: string | number, scope?: string, headers?: Record<string, string> }
const get = async (jobId: string, { query = '?include=data', user = 7, scope, headers }: Get = {}, service = app) =>
  await service.inject({
    url: `/jobs/${encodeURIComponent(jobId)}${query}`,
    headers: { authorization: `Bearer ${tokenOf(user, scope === undefined ? {} : { scope })}`, ...headers }
  })
const state = async (jobId: string) => (await get(jobId, { query: '' })).json().state

t.test('the data of an open job is what was submitted, and is returned only where it is requested', async t => {
  const jobId = await submit(app, { queue: 'idle', data: { b: 1, a: ['ä', null] } })
  const answer = await get(jobId)
  t.equal(answer.statusCode, 200)
  t.same(answer.json().data, { b: 1, a: ['ä', null], userId: 7 })
  for (const query of ['', '?include=', '?include=,']) t.notOk('data' in (await get(jobId, { query })).json(), query)
  t.match((await get(jobId, { query: '?include=data&wait=1' })).json(), { data: { b: 1 } })
  await until(async () => {
    const etag = (await get(jobId)).headers.etag as string
    return (await get(jobId, { headers: { 'if-none-match': etag } })).statusCode === 304
  }, { what: 'an unchanged job to be a 304' })
})

t.test('the data of a completed job is shown as long as BullMQ has it', async t => {
  const jobId = await submit(app, { data: { x: 1 } })
  await until(async () => await state(jobId) === 'completed')
  t.same((await database.sql`select data from jobs.jobs where id = ${jobId}`)[0]?.data, null)
  t.match((await get(jobId)).json(), { result: 'done', data: { x: 1, userId: 7 } })
  await (await app.findQueue('default').getJob(jobId))?.remove()
  const { data, ...job } = (await get(jobId)).json()
  t.match([data, job], [undefined, { state: 'completed', dataRemoved: true }])
})

t.test('the data of another producer keeps its text, and is left out above 1 MiB', async t => {
  const queue = producer(t, redis, 'idle')
  const { id = '' } = await queue.add('other', { userId: 7 }, { jobId: 'other' })
  await until(async () => (await get(id)).statusCode === 200)
  const key = app.findQueue('idle').toKey(id)
  await app.redis.hset(key, 'data', '{"userId":7,"n":12345678901234567890,"z":1.0}')
  t.match((await get(id)).body, '"data":{"userId":7,"n":12345678901234567890,"z":1.0}}')
  await app.redis.hset(key, 'data', 'NaN')
  t.equal((await get(id)).json().data, 'NaN', 'no JSON is a text')
  await app.redis.hset(key, 'data', JSON.stringify({ userId: 7, text: 'x'.repeat(1024 * 1024) }))
  t.match((await get(id)).json(), { id, dataTruncated: true })
  await app.redis.hset(key, 'data', `{"userId":7,"deep":${'['.repeat(2000)}${']'.repeat(2000)}}`)
  t.match((await get(id)).json(), { id, dataTruncated: true })
  await app.redis.hset(key, 'data', '{"userId":8,"secret":true}')
  t.match((await get(id)).json(), { id, dataRemoved: true }, 'a later job of another user')
  await app.redis.hset(key, 'data', '{"userId":7}', 'timestamp', 1)
  t.match((await get(id)).json(), { id, dataRemoved: true }, 'a later job of the same user')
})

t.test('it needs the scope, and a deployment may show no data', async t => {
  const jobId = await submit(app, { queue: 'idle', data: { x: 1 } })
  t.match((await get(jobId, { scope: 'jobs:write' })).json(), { status: 403, type: /insufficient-scope/ })
  t.equal((await get(jobId, { user: 8 })).statusCode, 404)
  const operator = { user: 'op', query: '?include=data&userId=7' }
  t.match((await get(jobId, { ...operator, scope: 'operator:read' })).json(), { data: { x: 1 } })
  t.equal((await get(jobId, operator)).statusCode, 403)
  t.match((await get(jobId, {}, hidden)).json(), {
    status: 403, type: 'urn:tidings:problem:data-not-visible', detail: /JOB_DATA_VISIBLE/
  })
  t.equal((await get(jobId, { query: '' }, hidden)).statusCode, 200)
  t.match((await get(jobId, { query: '?include=secrets' })).json(), {
    status: 400, errors: [{ path: 'querystring.include', message: /data/ }]
  })
})

t.test('a queue that is not relayed any more has no data to read, unless the row has it', async t => {
  const other = await startApp(t, { ...env, JOB_QUEUES: 'idle' })
  const jobId = await submit(app, { data: { x: 1 } })
  await until(async () => await state(jobId) === 'completed')
  t.match((await get(jobId, {}, other)).json(), { dataRemoved: true })
})
