import { setTimeout } from 'node:timers/promises'
import { UnrecoverableError } from 'bullmq'
import t from 'tap'
import { cancelChannel, cancelKey } from '@tidings/contracts'
import { tokenOf, until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { untilStates } from '../job-rows.ts'
import { setup, startApp, startServers } from '../setup.ts'
import { submit } from '../submit.ts'

const bearer = (user: string | number) => ({ authorization: `Bearer ${tokenOf(user)}` })

t.test('cancel', async t => {
  const { app, redis, database } = await setup(t, { JOB_QUEUES: 'default,idle' })
  const cancel = async (jobId: string, user = 7) => await app.inject({
    method: 'POST', url: `/jobs/${jobId}/cancel`, headers: bearer(user)
  })
  const get = async (jobId: string) => (await app.inject({ url: `/jobs/${jobId}`, headers: bearer(7) })).json()
  const untilFailed = async (jobId: string) => await until(async () => {
    const job = await get(jobId)
    return job.state === 'failed' && job
  })

  // A worker as documented: it subscribes first, then reads the key of each job.
  const stops = new Map<string, (err: Error) => void>()
  const ends = new Map<string, () => void>()
  const subscriber = redis.client()
  await subscriber.subscribe(cancelChannel('default'))
  subscriber.on('message', (_channel, id: string) => stops.get(id)?.(new UnrecoverableError('Cancelled by user')))
  worker(t, redis, async job => {
    if (job.name === 'quick') return 'done'
    await new Promise<void>((resolve, reject) => {
      ends.set(job.id as string, resolve)
      if (job.name !== 'deaf') stops.set(job.id as string, reject)
    })
  }, { concurrency: 10 })

  await t.test('removes a waiting job, which then is cancelled', async t => {
    const jobId = await submit(app, { queue: 'idle' })
    await until(async () => (await get(jobId)).lastEventId !== null)
    const answer = await cancel(jobId)
    t.equal(answer.statusCode, 202)
    t.match(answer.json(), { id: jobId, state: 'waiting' })
    t.match(await untilFailed(jobId), { failedReason: 'Cancelled by user' })
    t.equal(await app.findQueue('idle').getJob(jobId), undefined)
  })

  await t.test('removes a delayed job', async t => {
    const jobId = await submit(app, { delay: 3_600_000 })
    await until(async () => (await get(jobId)).lastEventId !== null)
    t.equal((await cancel(jobId)).statusCode, 202)
    t.match(await untilFailed(jobId), { failedReason: 'Cancelled by user' })
  })

  await t.test('signals the worker of an active job, which ends it', async t => {
    const jobId = await submit(app, { attempts: 3 })
    await until(() => stops.has(jobId))
    t.equal((await cancel(jobId)).statusCode, 202)
    t.match(await untilFailed(jobId), { failedReason: 'Cancelled by user' })
    t.ok(await redis.client().pttl(cancelKey('default', jobId)) > 0, 'a worker that was away finds the key')
    t.equal(
      Number(await redis.client().get(cancelKey('default', jobId))), (await get(jobId)).timestamp.created,
      'which identifies the job'
    )
  })

  await t.test('leaves it to the worker: a job whose worker does not listen completes', async t => {
    const jobId = await submit(app, { name: 'deaf' })
    await until(() => ends.has(jobId))
    t.equal((await cancel(jobId)).statusCode, 202)
    ends.get(jobId)?.()
    await until(async () => (await get(jobId)).state === 'completed')
  })

  await t.test('is too late for a finished job', async t => {
    const jobId = await submit(app, { name: 'quick' })
    await until(async () => (await get(jobId)).state === 'completed')
    const answer = await cancel(jobId)
    t.equal(answer.statusCode, 409)
    t.match(answer.headers['content-type'], 'problem+json')
  })

  await t.test('has no body, whatever its content type', async t => {
    const jobId = await submit(app, { delay: 3_600_000 })
    const post = async (payload: string, type: string) => await app.inject({
      method: 'POST', url: `/jobs/${jobId}/cancel`, headers: { ...bearer(7), 'content-type': type }, payload
    })
    t.match((await post('{"reason":"bored"}', 'application/json')).json(), {
      status: 400, errors: [{ path: 'body.reason' }]
    })
    t.match((await post('[]', 'application/json')).json(), { status: 400, errors: [{ path: 'body' }] })
    t.equal((await post('{', 'application/json')).statusCode, 400)
    t.equal((await post('reason=bored', 'text/plain')).statusCode, 415)
    t.equal((await post(`"${'x'.repeat(2 * 1024 * 1024)}"`, 'application/json')).statusCode, 413)
    await until(async () => (await get(jobId)).lastEventId !== null)
    t.equal((await get(jobId)).state, 'delayed')
    t.equal((await post('', 'application/json')).statusCode, 202)
    t.match(await untilFailed(jobId), { failedReason: 'Cancelled by user' })
    t.equal((await post('{}', 'application/json')).statusCode, 409, 'an empty object is accepted too')
  })

  await t.test('is allowed for the owner only', async t => {
    const jobId = await submit(app, { queue: 'idle' })
    await until(async () => (await get(jobId)).lastEventId !== null)
    t.equal((await cancel(jobId, 8)).statusCode, 404)
    t.equal((await cancel('nothing')).statusCode, 404)
    t.equal(await app.findQueue('idle').getJobState(jobId), 'waiting')
  })

  await t.test('works for jobs of other producers, and never affects a later job with that id', async t => {
    const queue = producer(t, redis, 'idle')
    const job = await queue.add('adopted', { userId: 7 })
    await until(async () => (await get(job.id as string)).name === 'adopted')
    t.equal((await cancel(job.id as string)).statusCode, 202)
    t.match(await untilFailed(job.id as string), { failedReason: 'Cancelled by user' })

    const later = await queue.add('later', { userId: 7 }, { jobId: 'again', timestamp: 5 })
    await until(async () => (await get('again')).name === 'later')
    await database.sql`update jobs.jobs set created_ms = 4 where id = 'again'`
    t.equal((await cancel('again')).statusCode, 202)
    t.equal(await later.getState(), 'waiting')
    t.equal(await redis.client().exists(cancelKey('idle', 'again')), 0, 'nor is its worker signalled')
  })

  await t.test('of a job that Redis does not have yet ends it too', async t => {
    await database.sql`
      insert into jobs.jobs (queue, id, user_id, name, created_ms, ours, data, options)
      values ('idle', 'unsent', '7', 'x', ${Date.now() + 3_600_000}, true, '{"userId": 7}', '{"jobId": "unsent"}')`
    await database.sql`insert into jobs.counts values ('7', 0, 1) on conflict (user_id, state) do update set count = counts.count + 1`
    await cancel('unsent')
    t.equal(
      await redis.client().exists(cancelKey('idle', 'unsent')), 1,
      'its worker is signalled, in case the job is being added'
    )
    // from now on the outbox adds it
    await database.sql`update jobs.jobs set created_ms = ${Date.now() - 60_000} where id = 'unsent'`
    t.match(await untilFailed('unsent'), { failedReason: 'Cancelled by user' })
  })
})

t.test('a cancel ends a job that another replica has not added to Redis yet, also one due in an hour', async t => {
  const { redis, env, database } = await startServers(t)
  const [submitter, canceller] = [await startApp(t, env), await startApp(t, env)]
  const control = redis.client()
  await control.client('PAUSE', 60_000, 'WRITE')
  const jobId = await submit(submitter, { delay: 3_600_000 })
  // waits to signal a worker
  const answer = canceller.inject({ method: 'POST', url: `/jobs/${jobId}/cancel`, headers: bearer(7) })
  await until(async () =>
    (await database.sql`select from jobs.jobs where id = ${jobId} and cancel_requested_at is not null`).length === 1)
  await setTimeout(300) // so that it looks for the job, and does not find it
  await control.client('UNPAUSE')
  t.equal((await answer).statusCode, 202)
  const [row] = await untilStates(database.sql, ['failed'])
  t.equal(row?.failed_reason, 'Cancelled by user')
})

t.test('retry', async t => {
  const { app, redis } = await setup(t, { JOB_QUEUES: 'default,idle' })
  const post = async (jobId: string, what: string, user = 7) => await app.inject({
    method: 'POST', url: `/jobs/${jobId}/${what}`, headers: bearer(user)
  })
  const get = async (jobId: string) => (await app.inject({ url: `/jobs/${jobId}`, headers: bearer(7) })).json()
  const untilState = async (jobId: string, state: string) => await until(async () => (await get(jobId)).state === state)
  const runs = new Map<string, number>()
  worker(t, redis, async job => {
    const run = (runs.get(job.id as string) ?? 0) + 1
    runs.set(job.id as string, run)
    if (job.name === 'flaky' && run === 1) throw new Error('not today')
    return run
  })

  await t.test('runs a failed job again', async t => {
    const jobId = await submit(app, { name: 'flaky' })
    await untilState(jobId, 'failed')
    const answer = await post(jobId, 'retry')
    t.equal(answer.statusCode, 202)
    t.match(answer.json(), { state: 'failed', failedReason: 'not today' }, 'returns the job before the command')
    await untilState(jobId, 'completed')
    const job = await get(jobId)
    t.equal(job.result, 2)
    t.notOk('failedReason' in job)
  })

  await t.test('adds a cancelled job again, and withdraws the cancel request', async t => {
    const jobId = await submit(app, { queue: 'idle', name: 'second thoughts', data: { file: 'x' } })
    await until(async () => (await get(jobId)).lastEventId !== null)
    await post(jobId, 'cancel')
    await untilState(jobId, 'failed')
    await redis.client().set(cancelKey('idle', jobId), '1')
    t.equal((await post(jobId, 'retry')).statusCode, 202)
    await untilState(jobId, 'waiting')
    t.equal(await redis.client().exists(cancelKey('idle', jobId)), 0)
    worker(t, redis, async job => job.data, { name: 'idle' })
    await untilState(jobId, 'completed')
    t.same((await get(jobId)).result, { file: 'x', userId: 7 })
  })

  await t.test('is allowed for failed jobs, and for their owner', async t => {
    const jobId = await submit(app)
    await untilState(jobId, 'completed')
    t.equal((await post(jobId, 'retry')).statusCode, 409)
    t.equal((await post(jobId, 'retry', 8)).statusCode, 404)
    t.equal((await post('nothing', 'retry')).statusCode, 404)
  })

  await t.test('of an adopted job that BullMQ does not have any more is a conflict', async t => {
    const queue = producer(t, redis)
    const job = await queue.add('flaky', { userId: 7 })
    await untilState(job.id as string, 'failed')
    await job.remove()
    t.equal((await post(job.id as string, 'retry')).statusCode, 409)
  })

  await t.test('twice at once runs it once', async t => {
    const jobId = await submit(app, { name: 'flaky' })
    await untilState(jobId, 'failed')
    const statuses = (await Promise.all([post(jobId, 'retry'), post(jobId, 'retry')])).map(
      ({ statusCode }) => statusCode
    )
    t.same(statuses.toSorted((a, b) => a - b), [202, 409])
    await untilState(jobId, 'completed')
    t.equal(runs.get(jobId), 2)
  })
})

t.test('while Redis is away commands are a 503, and the cancel request is stored', async t => {
  const { app, redis, database } = await setup(t)
  const jobId = await submit(app)
  await until(async () => (await app.inject({ url: `/jobs/${jobId}`, headers: bearer(7) })).json().lastEventId !== null)
  await redis.stop()
  const answer = await app.inject({ method: 'POST', url: `/jobs/${jobId}/cancel`, headers: bearer(7) })
  t.equal(answer.statusCode, 503)
  t.ok(answer.headers['retry-after'])
  t.equal((await database.sql`select count(*)::int from jobs.jobs where cancel_requested_at is not null`)[0]?.count, 1)
})
