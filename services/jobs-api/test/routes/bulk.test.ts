import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'

type Options = { user?: string | number, scope?: string, key?: string, method?: 'GET' | 'POST' | 'DELETE' }

const { app, redis, database } = await setup(t, { JOB_QUEUES: 'default,idle', WEBHOOK_DISPATCHER_URL: 'http://127.0.0.1:9' })
const { sql } = database

async function request (url: string, payload?: object, { user = 7, scope, key, method = 'POST' }: Options = {}) {
  const token = tokenOf(user, scope === undefined ? {} : { scope })
  return await app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${token}`, ...(key !== undefined && { 'idempotency-key': key }) },
    ...(payload && { payload })
  })
}
const start = async (payload: object, options?: Options) => await request('/bulk', payload, options)
const get = async (id: string, options?: Options) => await request(`/bulk/${id}`, undefined, { ...options, method: 'GET' })
const ended = async (id: string) => await until(async () => {
  const bulk = (await get(id)).json()
  return !['waiting', 'running'].includes(bulk.state) && bulk
})
const statesOf = async (ids: string[]) =>
  (await sql`select state from jobs.jobs where id = any(${ids}::text[])`).map(({ state }) => Number(state))
const untilAll = async (ids: string[], state: number) =>
  await until(async () => (await statesOf(ids)).every(one => one === state))
const [FAILED, COMPLETED] = [4, 3]

const runs = new Map<string, number>()
let failing = true
worker(t, redis, async job => {
  runs.set(job.id as string, (runs.get(job.id as string) ?? 0) + 1)
  if (failing && job.name !== 'good') throw new Error('no luck')
}, { concurrency: 20 })

const some = async (count: number, fields: Record<string, unknown>) =>
  await Promise.all(Array.from({ length: count }, async () => await submit(app, fields)))

t.test('retries the failed jobs of a filter, and no others', async t => {
  failing = true
  const bad = await some(5, { name: 'bad' })
  const [other] = await some(1, { name: 'other' }) as [string]
  const [foreign] = await some(1, { name: 'bad', user: 8 }) as [string]
  const [good] = await some(1, { name: 'good' }) as [string]
  await untilAll([...bad, other, foreign], FAILED)
  await untilAll([good], COMPLETED)
  failing = false
  const filter = { name: 'bad' }
  const dry = await start({ action: 'retry', filter, dryRun: true })
  t.equal(dry.statusCode, 200)
  t.same(dry.json(), { matched: 5 })
  const answer = await start({ action: 'retry', filter })
  t.equal(answer.statusCode, 202)
  const { bulkId, matched } = answer.json()
  t.equal(matched, 5)
  t.equal(answer.headers.location, `/bulk/${bulkId}`)
  t.match(await ended(bulkId), {
    bulkId, action: 'retry', state: 'finished', matched: 5, done: 5, failed: 0, skipped: 0, errors: [], reason: null
  })
  await untilAll(bad, COMPLETED)
  t.same(bad.map(id => runs.get(id)), [2, 2, 2, 2, 2])
  t.same(await statesOf([other, foreign]), [FAILED, FAILED])
  t.same([other, foreign, good].map(id => runs.get(id)), [1, 1, 1])
  t.equal((await sql`select from jobs.bulk_items`).length, 0, 'no items are left')

  const list = async (query: string, options?: Options) =>
    (await request(`/jobs?bulkId=${bulkId}${query}`, undefined, { ...options, method: 'GET' })).json()
  const idsOf = ({ jobs }: { jobs: { id: string }[] }) => jobs.map(({ id }) => id).toSorted()
  const whole = await list('&status=completed')
  t.same(idsOf(whole), bad.toSorted(), 'what it did')
  t.match(whole.pagination, { total: 5, next: null })
  const first = await list('&limit=2&sort=finished')
  const rest = await list(`&limit=3&sort=finished&cursor=${first.pagination.next}`)
  t.same(idsOf({ jobs: [...first.jobs, ...rest.jobs] }), bad.toSorted())
  t.same((await list('&status=failed')).jobs, [])
  t.same((await list('', { user: 8 })).jobs, [], 'another user finds nothing')
  t.same(idsOf(await list('&userId=*', { scope: 'operator:read' })), bad.toSorted())
  t.equal((await request('/jobs?bulkId=deliveries-1', undefined, { method: 'GET' })).statusCode, 400)
  t.same((await start({ action: 'retry', filter: { bulkId }, dryRun: true })).json(), { matched: 0 }, 'none has failed')
})

t.test('retries a job that fails again no second time', async t => {
  failing = true
  const ids = await some(3, { name: 'again' })
  await untilAll(ids, FAILED)
  const { bulkId } = (await start({ action: 'retry', ids })).json()
  t.match(await ended(bulkId), { state: 'finished', matched: 3, done: 3 })
  await until(() => ids.every(id => runs.get(id) === 2))
  await untilAll(ids, FAILED)
  t.same(ids.map(id => runs.get(id)), [2, 2, 2])
})

t.test('ids that are unknown, of others or of another state do not match', async t => {
  failing = true
  const [bad, foreign, good] = [await submit(app), await submit(app, { user: 8 }), await submit(app, { name: 'good' })]
  await untilAll([bad, foreign], FAILED)
  await untilAll([good], COMPLETED)
  const ids = [bad, bad, foreign, good, 'nothing']
  t.same((await start({ action: 'retry', ids, dryRun: true })).json(), { matched: 1 })
  const { bulkId } = (await start({ action: 'retry', ids: ['nothing'] })).json()
  t.match((await get(bulkId)).json(), { state: 'finished', matched: 0 }, 'nothing to do is finished at once')
})

t.test('adds cancelled jobs again, and reports those that the queue does not have', async t => {
  const mine = await submit(app, { queue: 'idle', name: 'mine' })
  const adopted = await producer(t, redis, 'idle').add('adopted', { userId: 7 })
  await until(async () => (await sql`select from jobs.jobs where queue = 'idle' and event_ms is not null`).length === 2)
  const ids = [mine, adopted.id as string]
  const { bulkId: cancel } = (await start({ action: 'cancel', filter: { queue: 'idle' } })).json()
  t.match(await ended(cancel), { state: 'finished', matched: 2, done: 2 })
  await untilAll(ids, FAILED)
  const reasons = await sql`select distinct failed_reason from jobs.jobs where id = any(${ids}::text[])`
  t.same(reasons.map(({ failed_reason: reason }) => reason), ['Cancelled by user'])
  const { bulkId: retry } = (await start({ action: 'retry', filter: { queue: 'idle' } })).json()
  t.match(await ended(retry), {
    matched: 2, done: 1, failed: 1, errors: [{ id: adopted.id, outcome: 'failed', reason: /does not have this job/ }]
  })
  await until(async () => await app.findQueue('idle').getJobState(mine) === 'waiting')
  await ended((await start({ action: 'cancel', ids: [mine] })).json().bulkId)
})

t.test('one runs at a time for a user; others wait, are bounded and can be stopped', async t => {
  const ids = await some(3, { queue: 'idle', name: 'waits' })
  const pauses = sql.begin(async tx => {
    // The page of the first bulk action waits for this lock.
    await tx`select from jobs.jobs where id = any(${ids}::text[]) for update`
    const first = (await start({ action: 'cancel', ids: [ids[0]] })).json()
    await until(async () => (await get(first.bulkId)).json().state === 'running')
    const others = []
    for (let i = 0; i < 10; i++) others.push((await start({ action: 'cancel', ids: [ids[1]] })).json().bulkId as string)
    t.match((await start({ action: 'cancel', ids: [ids[1]] })).json(), { status: 429, type: /too-many-bulks/ })
    t.equal((await get(others[0] as string)).json().state, 'waiting')
    for (const id of others) {
      const stopped = await request(`/bulk/${id}`, undefined, { method: 'DELETE' })
      t.match([stopped.statusCode, stopped.json()], [200, { state: 'stopped', matched: 1, done: 0 }])
    }
    return [first.bulkId as string, ...others]
  })
  const [first, second] = await pauses as [string, string]
  t.match(await ended(first), { state: 'finished', done: 1 })
  await until(async () => (await sql`select from jobs.bulks where not is_settled`).length === 0)
  t.match((await get(second)).json(), { state: 'stopped', matched: 1, done: 0, skipped: 0 })
  t.equal((await sql`select from jobs.bulk_items`).length, 0)
  t.match((await request(`/bulk/${first}`, undefined, { method: 'DELETE' })).json(), { state: 'finished' })
  const { bulks } = (await request('/bulk', undefined, { method: 'GET' })).json()
  t.match(bulks.slice(-1)[0].action, 'retry')
  t.equal(bulks[10].bulkId, first, 'newest first')
})

t.test('with an Idempotency-Key starts one', async t => {
  const body = { action: 'retry', ids: ['a'] }
  const [one, two] = await Promise.all([start(body, { key: 'k' }), start(body, { key: 'k' })])
  t.equal(one.json().bulkId, two.json().bulkId)
  t.match((await start({ action: 'retry', ids: ['b'] }, { key: 'k' })).json(), {
    status: 409, type: 'urn:tidings:problem:idempotency-key-reused'
  })
})

t.test('refuses more items than it may have', async t => {
  await sql`
    insert into jobs.jobs (queue, id, user_id, name, state, created_ms, finished_ms, event_ms, event_seq)
    select 'default', 'many-' || n, 'many', 'x', 4, n, n, n, 0 from generate_series(1, 100001) n`
  const body = { action: 'retry', filter: {} }
  t.same((await start({ ...body, dryRun: true }, { user: 'many' })).json(), { matched: 100_000, matchedIsCapped: true })
  t.match((await start(body, { user: 'many' })).json(), { status: 422, type: 'urn:tidings:problem:too-many-items' })
  t.equal((await sql`select from jobs.bulks where user_id = 'many'`).length, 0)
  const some = { action: 'retry', filter: { from: 50, to: '1970-01-01T00:00:00.060Z' }, dryRun: true }
  t.same((await start(some, { user: 'many' })).json(), { matched: 10 })
  t.match((await start({ action: 'retry', filter: { q: 'x' } }, { user: 'many' })).json(), {
    status: 422, type: 'urn:tidings:problem:filter-too-broad'
  })
  t.same((await start({ ...some, filter: { q: 'many-5', to: 60 } }, { user: 'many' })).json(), { matched: 11 })
})

t.test('names the faults of a request', async t => {
  const faulty: [object, string][] = [
    [{ action: 'retry' }, 'body'],
    [{ action: 'retry', filter: {}, ids: ['a'] }, 'body'],
    [{ action: 'burn', filter: {} }, 'body.action'],
    [{ action: 'retry', filter: { status: ['completed'] } }, 'body.filter.status.0'],
    [{ action: 'cancel', filter: { status: ['waiting', 'failed'] } }, 'body.filter.status.1'],
    [{ action: 'retry', filter: { nme: 'x' } }, 'body.filter.nme'],
    [{ action: 'retry', ids: [] }, 'body.ids'],
    [{ action: 'redeliver', ids: ['a'] }, 'body.ids.0']
  ]
  for (const [body, path] of faulty) t.match((await start(body)).json(), { status: 400, errors: [{ path }] }, path)
  t.match((await get('nothing')).json(), { status: 400 })
})

t.test('needs the scope of the action, and shows a bulk action to its user only', async t => {
  const retry = { action: 'retry', ids: ['a'] }
  const { bulkId } = (await start(retry, { scope: 'jobs:write' })).json()
  t.match((await start(retry, { scope: 'webhooks:write' })).json(), { status: 403, detail: /jobs:write/ })
  t.match((await start({ action: 'redeliver', ids: [1] }, { scope: 'jobs:write' })).json(), {
    status: 403, detail: /webhooks:write/
  })
  t.equal((await get(bulkId, { scope: 'jobs:read' })).statusCode, 200)
  t.equal((await get(bulkId, { scope: 'webhooks:read' })).statusCode, 403)
  t.equal((await get(bulkId, { user: 8 })).statusCode, 404)
  t.equal((await request(`/bulk/${bulkId}`, undefined, { user: 8, method: 'DELETE' })).statusCode, 404)
  t.same((await request('/bulk', undefined, { method: 'GET', scope: 'webhooks:read' })).json().bulks, [])
  const asOperator = await request('/bulk?userId=7', retry, { user: 'op', scope: 'operator:write' })
  t.equal((await get(asOperator.json().bulkId)).statusCode, 200, 'an operator starts it for the user')
})

t.test('while the dispatcher does not respond, redeliveries are a 503, and lists say what is missing', async t => {
  t.match((await start({ action: 'redeliver', ids: [1] })).json(), { status: 503, detail: /WEBHOOK_DISPATCHER_URL/ })
  const id = 'deliveries-0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17'
  t.equal((await get(id)).statusCode, 503)
  t.equal((await request('/bulk', undefined, { method: 'GET' })).json().incomplete, true)
})
