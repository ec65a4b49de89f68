import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'

const bearer = (user: string | number) => ({ authorization: `Bearer ${tokenOf(user)}` })

t.test('resubmit', async t => {
  const { app, redis, database } = await setup(t, { JOB_QUEUES: 'default,idle' })
  const { sql } = database
  const get = async (jobId: string) => (await app.inject({ url: `/jobs/${jobId}`, headers: bearer(7) })).json()
  const untilState = async (jobId: string, state: string) => await until(async () => (await get(jobId)).state === state)
  type Request = { user?: number, payload?: string | object, headers?: Record<string, string> }
  const resubmit = async (jobId: string, { user = 7, payload, headers }: Request = {}) => await app.inject({
    method: 'POST',
    url: `/jobs/${encodeURIComponent(jobId)}/resubmit`,
    headers: { ...bearer(user), ...headers },
    ...(payload !== undefined && { payload })
  })
  const rowOf = async (jobId: string) => (await sql`
    select name, queue, data, options, webhook_url, webhook_event_type, attempts_max, user_id from jobs.jobs where id = ${jobId}`)[0]
  worker(t, redis, async job => {
    if (job.name === 'bad') throw new Error('no luck')
    return job.data
  })

  const fields = {
    name: 'report',
    queue: 'idle',
    data: { month: 3 },
    priority: 5,
    attempts: 4,
    backoff: { type: 'fixed', delay: 10 },
    webhookUrl: 'https://example.com/hook',
    webhookEventType: 'failed'
  }

  await t.test('makes a new job with name, queue, data, options and webhookUrl of the former', async t => {
    const jobId = await submit(app, fields)
    const answer = await resubmit(jobId)
    t.equal(answer.statusCode, 202)
    const submitted = answer.json()
    t.match(submitted, { name: 'report', queue: 'idle', state: 'waiting' })
    t.not(submitted.jobId, jobId)
    t.equal(answer.headers.location, `/jobs/${submitted.jobId}`)
    const { priority, attempts, backoff } = fields
    t.match(await rowOf(submitted.jobId), {
      name: 'report',
      queue: 'idle',
      data: { month: 3, userId: 7 },
      options: { jobId: submitted.jobId, priority, attempts, backoff },
      webhook_url: 'https://example.com/hook',
      webhook_event_type: 'failed',
      attempts_max: 4
    })
    t.match((await app.findQueue('idle').getJob(submitted.jobId))?.opts, { priority, attempts, backoff })
  })

  await t.test('takes other data, in which the server sets the owner', async t => {
    const jobId = await submit(app, fields)
    const { jobId: id } = (await resubmit(jobId, { payload: { data: { month: 4, userId: 8 } } })).json()
    t.same((await rowOf(id))?.data, { month: 4, userId: 7 })
    const { jobId: same } = (await resubmit(jobId, { payload: { data: null } })).json()
    t.same((await rowOf(same))?.data, { month: 3, userId: 7 }, 'null is no data, as in a submit')
  })

  await t.test('has a delayed job wait as long again', async t => {
    const jobId = await submit(app, { queue: 'idle', delay: 3_600_000 })
    const { jobId: id, state } = (await resubmit(jobId)).json()
    t.equal(state, 'delayed')
    t.match(await rowOf(id), { options: { delay: 3_600_000 } })
  })

  await t.test('takes failed and completed jobs', async t => {
    const failed = await submit(app, { name: 'bad', data: { n: 1 } })
    const completed = await submit(app, { name: 'good', data: { n: 2 }, attempts: 2 })
    await untilState(failed, 'failed')
    await untilState(completed, 'completed')
    await untilState((await resubmit(failed)).json().jobId, 'failed')
    const { jobId } = (await resubmit(completed)).json()
    await untilState(jobId, 'completed')
    t.same((await get(jobId)).result, { n: 2, userId: 7 })
    t.equal((await get(jobId)).attempts.max, 2)
  })

  await t.test('reads a job of another producer from BullMQ, and is a conflict once it is gone', async t => {
    const queue = producer(t, redis, 'idle')
    const options = { attempts: 3, backoff: { type: 'exponential', delay: 7 }, delay: 60_000 }
    const job = await queue.add('adopted', { userId: 7, file: 'x' }, options)
    const id = job.id as string
    await until(async () => (await get(id)).name === 'adopted')
    const { jobId, state } = (await resubmit(id)).json()
    t.equal(state, 'delayed')
    t.match(await rowOf(jobId), { name: 'adopted', queue: 'idle', data: { file: 'x', userId: 7 }, options })
    await job.remove()
    const answer = await resubmit(id, { payload: { data: { file: 'y' } } })
    t.match(answer.json(), { status: 409, type: 'urn:tidings:problem:job-not-kept' })
  })

  await t.test('leaves out the delay of a scheduler', async t => {
    const queue = producer(t, redis, 'idle')
    const job = await queue.upsertJobScheduler('nightly', { every: 86_400_000, offset: 1000 }, {
      name: 'scheduled', data: { userId: 7 }, opts: { attempts: 2 }
    })
    const id = job?.id as string
    await until(async () => (await get(id)).name === 'scheduled')
    const { jobId, state } = (await resubmit(id)).json()
    t.equal(state, 'waiting')
    t.match(await rowOf(jobId), { attempts_max: 2 })
  })

  await t.test('does not read data that no submit could have', async t => {
    const queue = producer(t, redis, 'idle')
    const job = await queue.add('large', { userId: 7, text: 'x'.repeat(2 * 1024 * 1024) })
    await until(async () => (await get(job.id as string)).name === 'large')
    t.match((await resubmit(job.id as string)).json(), { status: 409, type: 'urn:tidings:problem:job-data-too-large' })
  })

  await t.test('with an Idempotency-Key answers a repetition as the first, even when the job is gone', async t => {
    const jobId = await submit(app, { queue: 'idle' })
    const request = { headers: { 'idempotency-key': 'again' } }
    const first = await resubmit(jobId, request)
    await sql`delete from jobs.jobs where id = ${jobId}`
    t.same((await resubmit(jobId, request)).json(), first.json())
    const other = await resubmit(await submit(app, { queue: 'idle' }), request)
    t.match(other.json(), { status: 409, type: 'urn:tidings:problem:idempotency-key-reused' })
  })

  await t.test('needs no body, and names the faults of one', async t => {
    const jobId = await submit(app, { queue: 'idle' })
    const json = { 'content-type': 'application/json' }
    t.equal((await resubmit(jobId, { headers: json, payload: '' })).statusCode, 202)
    t.equal((await resubmit(jobId, { headers: json, payload: '{}' })).statusCode, 202)
    let deep: object = {}
    for (let i = 0; i < 70; i++) deep = { deep }
    const faulty = [['data', 1], ['name', 'x'], ['data', deep]] as const
    for (const [name, value] of faulty) {
      const answer = await resubmit(jobId, { payload: { [name]: value } })
      t.match(answer.json(), { status: 400, errors: [{ path: `body.${name}` }] })
    }
  })

  await t.test('is allowed for the owner only', async t => {
    const jobId = await submit(app, { queue: 'idle' })
    t.equal((await resubmit(jobId, { user: 8 })).statusCode, 404)
    t.equal((await resubmit('nothing')).statusCode, 404)
  })
})

t.test('resubmit counts against the quota of open jobs, and checks the rules of today', async t => {
  const { app, database } = await setup(t, { JOBS_OPEN_MAX_PER_USER: '1' })
  const jobId = await submit(app, { webhookUrl: 'https://example.com/hook' })
  const resubmit = async () =>
    (await app.inject({ method: 'POST', url: `/jobs/${jobId}/resubmit`, headers: bearer(7) })).json()
  t.match(await resubmit(), { status: 429, type: 'urn:tidings:problem:too-many-open-jobs' })
  await database.sql`update jobs.jobs set webhook_url = 'http://127.0.0.1/hook' where id = ${jobId}`
  t.match(await resubmit(), { status: 400, errors: [{ path: 'job.webhookUrl' }] })
  await database.sql`update jobs.jobs set queue = 'former' where id = ${jobId}`
  t.match(await resubmit(), { status: 409, type: 'urn:tidings:problem:queue-not-followed' })
})
