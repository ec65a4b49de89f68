import { InfiniteQueryObserver, QueryClient, QueryObserver } from '@tanstack/react-query'
import t from 'tap'
import { until, type TestContext } from '@tidings/testing'
import { createClient } from '../src/index.ts'
import { jobQuery, jobsQuery } from '../src/tanstack-query.ts'
import { job, json, startFakeServer } from './fake-server.ts'
import { startCounting } from './system.ts'

const system = await startCounting(t)
const url = system.endpoints.edge as string

function setup (t: TestContext, user: string) {
  const client = createClient({ url, token: system.token(user) })
  const queries = new QueryClient()
  t.teardown(() => {
    queries.clear()
    client.close()
  })
  return { client, queries }
}

t.test('a query has the newest snapshot of its job, and is fresh once that has ended', async t => {
  const { client, queries } = setup(t, 'query')
  const { jobId } = await client.jobs.submit('count', { to: 40, pauseMs: 30 })
  const observer = new QueryObserver(queries, jobQuery(client, jobId))
  const seen: string[] = []
  const stop = observer.subscribe(({ data, fetchStatus }) => { seen.push(`${data?.state} ${fetchStatus}`) })
  await until(() => observer.getCurrentResult().fetchStatus === 'idle')
  const result = observer.getCurrentResult()
  t.match(result, { status: 'success', data: { state: 'completed', progress: 40 }, isStale: false })
  t.equal(client.status.state, 'idle')
  t.ok(seen.includes('active fetching'), seen.join())
  t.equal(seen.at(-1), 'completed idle')
  stop()
  const data = await queries.fetchQuery(jobQuery(client, jobId))
  t.equal(data, queries.getQueryData(jobQuery(client, jobId).queryKey), 'a second observer needs no request')
})

t.test('a query that nobody observes any more stops, keeps what it had, and goes on later', async t => {
  const { client, queries } = setup(t, 'left query')
  const { jobId } = await client.jobs.submit('count', { to: 100, pauseMs: 50 })
  const options = jobQuery(client, jobId)
  const observer = new QueryObserver(queries, options)
  const stop = observer.subscribe(() => {})
  await until(() => Number(observer.getCurrentResult().data?.progress) > 0)
  stop()
  await until(() => client.status.state === 'idle', { what: 'the watch to end' })
  t.match(queries.getQueryData(options.queryKey), { id: jobId, state: 'active' })
  const again = new QueryObserver(queries, options)
  t.teardown(again.subscribe(() => {}))
  await until(() => again.getCurrentResult().data?.state === 'completed')
})

t.test('an unknown job is an error at once', async t => {
  const { client, queries } = setup(t, 'no query')
  await t.rejects(queries.fetchQuery(jobQuery(client, 'nothing')), { code: 'not_found' })
})

t.test('a result that its schema refuses is an error', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => json(response, job({ state: 'completed', result: 5 }))
  const queries = new QueryClient()
  const validate = () => ({ issues: [{ message: 'no' }] })
  const result = { '~standard': { version: 1, vendor: 'test', validate } } as const
  await t.rejects(queries.fetchQuery(jobQuery(fake.client(), 'j', { result })), { code: 'invalid_value' })
  queries.clear()
})

t.test('lists are read page by page', async t => {
  const { client, queries } = setup(t, 'pages')
  await client.jobs.submitMany(Array.from({ length: 5 }, () => ({ name: 'count', data: { to: 1 } })))
  await until(async () => (await client.jobs.counts()).completed === 5)
  const observer = new InfiniteQueryObserver(queries, jobsQuery(client, { limit: 2, status: 'completed' }))
  t.teardown(observer.subscribe(() => {}))
  await until(() => observer.getCurrentResult().isSuccess)
  while (observer.getCurrentResult().hasNextPage) await observer.fetchNextPage()
  const { data } = observer.getCurrentResult()
  t.same(data?.pages.map(({ jobs }) => jobs.length), [2, 2, 1])
  t.equal(new Set(data?.pages.flatMap(({ jobs }) => jobs.map(({ id }) => id))).size, 5)
})
