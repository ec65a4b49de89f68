import t from 'tap'
import { tokenOf } from '@tidings/testing'
import { findPage } from '../../src/read/find-page.ts'
import { makeRows } from '../generate-rows.ts'
import { startApp, startServers } from '../setup.ts'

type Row = { id: string, state: string, userId?: unknown, timestamp: { finished: number } }
type Page = {
  jobs: Row[]
  pagination: { total: number, next: string | null, scanned?: number, isPartial?: boolean, totalIsCapped?: boolean }
  status: number
  errors: { path: string, message: string }[]
}

const { env, database } = await startServers(t)
// Postgres keeps the plans of statements once it has run them a few times; here at once.
await database.sql.unsafe(`
  do $$ begin execute format('alter database %I set plan_cache_mode = force_generic_plan', current_database()); end $$`)
const app = await startApp(t, { ...env, JOB_RETENTION_DAYS: '36500', RATE_LIMIT_MAX: '0', POSTGRES_CONNECTIONS: '1' })
await makeRows(database.sql, { userId: '1', count: 50 }, { userId: '2', count: 5 })
// Finished in another order than created: 1-3, 1-4, 1-8, 1-9, … end ever earlier.
await database.sql`update jobs.jobs set finished_ms = 1640995300000 - created_ms % 1000 where user_id = '1' and state >= 3`
await database.sql`update jobs.jobs set failed_reason = 'Connection TIMEOUT: 100% of 5_000 ms \\ a' where id in ('1-4', '1-9')`
await database.sql`update jobs.jobs set failed_reason = repeat('x', 2000) || 'beyond' where id = '1-14'`

const operator = tokenOf('operator', { scope: 'operator:read' })
async function list (query: string, token = tokenOf(1)): Promise<Page> {
  return (await app.inject({ url: `/jobs?limit=100&${query}`, headers: { authorization: `Bearer ${token}` } })).json()
}
const ids = ({ jobs }: Page) => jobs.map(({ id }) => id)
const search = async (q: string, more = '') => ids(await list(`q=${encodeURIComponent(q)}${more}`))

t.test('several states are one list, with the exact total of both', async t => {
  for (const query of ['status=failed,active', 'status=failed&status=active', 'status=active,failed,active']) {
    const page = await list(query)
    t.equal(page.pagination.total, 20, query)
    t.same(ids(page), [49, 47, 44, 42, 39, 37, 34, 32, 29, 27, 24, 22, 19, 17, 14, 12, 9, 7, 4, 2].map(i => `1-${i}`))
  }
  t.match(await list('status=failed,lost'), { status: 400, errors: [{ path: 'querystring.status' }] })
})

t.test('q finds the beginning of an id, and a part of a name or of an error', async t => {
  t.same(await search('1-4'), ['49', '48', '47', '46', '45', '44', '43', '42', '41', '40', '4'].map(i => `1-${i}`))
  t.same(await search('-4'), [], 'the middle of an id is none')
  t.same((await search('ME2')).length, 15, 'the case of a name does not matter')
  t.same(await search('timeout'), ['1-9', '1-4'], 'nor that of an error')
  t.same(await search('beyond'), [], 'an error is searched up to its 2,000th character')
})

t.test('q is taken literally', async t => {
  for (const q of ['100%', '5_000', '\\ a', 'of 5_0', '100% OF']) t.ok((await search(q)).includes('1-9'), q)
  for (const q of ['%', '_', '\\', '\\%', '%timeout%', 'time_ut', '.*', '\'', '; drop', '\u{1f4a5}', ' ', '\n']) {
    const found = await search(q)
    t.same(found, ids(await list('')).filter(id => ['%', '_', '\\', ' '].includes(q) && ['1-9', '1-4'].includes(id)), q)
  }
})

t.test('q together with other filters, page by page and by cursor', async t => {
  t.same(await search('name1', '&status=failed'), ['1-29', '1-24', '1-19'])
  t.same(await search('name1', '&status=failed,active&queue=queue1').then(found => found.length), 2)
  const first = await list('q=1-4&limit=4')
  t.same(first.errors[0]?.path, 'querystring.limit', 'a limit is given once')
  const page = async (query: string) => (await app.inject({
    url: `/jobs?limit=4&q=1-4&${query}`, headers: { authorization: `Bearer ${tokenOf(1)}` }
  })).json<Page>()
  const pages = [await page(''), await page('page=2'), await page('page=3')]
  t.same(pages.flatMap(ids), await search('1-4'))
  t.same(pages.map(({ pagination: { total, scanned, isPartial } }) => [total, scanned, isPartial]), [
    [11, 50, undefined], [11, 50, undefined], [11, 50, undefined]
  ])
  const byCursor = [pages[0] as Page]
  for (let last = byCursor[0]; last?.pagination.next; byCursor.push(last)) {
    last = await page(`cursor=${last.pagination.next}`)
  }
  t.same(byCursor.flatMap(ids), await search('1-4'))
})

t.test('an invalid search is refused with its path', async t => {
  for (const q of ['%00', 'a%00b', 'a'.repeat(201)]) {
    t.match(await list(`q=${q}`), { status: 400, errors: [{ path: 'querystring.q' }] }, q.slice(0, 10))
  }
  t.equal((await list('q=%ff')).status, 400)
  t.equal((await list('q=a&q=b')).status, 400)
  t.equal((await list('q=')).pagination.total, 50, 'without a text it is left out')
  t.equal((await list(`q=${'a'.repeat(200)}`)).pagination.total, 0)
  t.equal((await list(`q=${encodeURIComponent('💥'.repeat(100))}`)).pagination.total, 0)
})

t.test('sort=finished lists what has ended, by the end', async t => {
  const all = await list('sort=finished')
  t.equal(all.pagination.total, 20)
  const ends = all.jobs.map(({ timestamp }) => timestamp.finished)
  t.same(ends, ends.toSorted((a, b) => b - a))
  t.equal(ids(all)[0], '1-3')
  t.same(ids(await list('sort=finished&status=failed')), ids(all).filter(id => /[49]$/.test(id)))
  const at = 1_640_995_300_000
  t.same(ids(await list(`sort=finished&from=${at - 9}&to=${at - 3}`)), ['1-4', '1-8', '1-9'])
  const [from, to] = [at - 9, at - 3].map(ms => new Date(ms).toISOString())
  t.same(ids(await list(`sort=finished&from=${from}&to=${to}`)), ['1-4', '1-8', '1-9'], 'in ISO 8601')
  t.same(ids(await list(`sort=finished&from=${at - 9}-3&to=${at - 3}-0`)), ['1-4', '1-8', '1-9'], 'by ids of events')
  const named = ids(all).filter(id => Number(id.slice(2)) >= 15 && Number(id.slice(2)) < 30)
  t.same(ids(await list('sort=finished&name=name1')), named)
  t.match(await list('sort=finished&status=failed,active'), {
    status: 400, errors: [{ path: 'querystring.status', message: /completed or failed/ }]
  })
  t.match(await list('sort=name'), { status: 400, errors: [{ path: 'querystring.sort' }] })
})

t.test('a cursor of another sort is refused', async t => {
  const next = async (query: string, token?: string) => (await app.inject({
    url: `/jobs?limit=3&${query}`, headers: { authorization: `Bearer ${token ?? tokenOf(1)}` }
  })).json<Page>().pagination.next
  const [created, finished, everybody] = [
    await next('sort=created'), await next('sort=finished'), await next('userId=*', operator)
  ]
  t.equal((await list(`cursor=${created}`)).status, undefined)
  t.match(await list(`sort=finished&cursor=${created}`), {
    status: 400, errors: [{ path: 'querystring.cursor', message: /sort=created/ }]
  })
  t.match(await list(`cursor=${finished}`), { status: 400, errors: [{ message: /sort=finished/ }] })
  t.match(await list(`cursor=${everybody}`), { status: 400, errors: [{ message: /all users/ }] })
  t.same(ids(await list(`sort=finished&cursor=${finished}`)), ids(await list('sort=finished')).slice(3))
})

t.test('operators list the jobs of all users, with their owners', async t => {
  const page = await list('userId=*', operator)
  t.equal(page.pagination.total, 55)
  t.same(new Set(page.jobs.map(({ userId }) => userId)), new Set([1, 2]))
  t.equal(ids(page)[0], '2-4', 'the newest arrival first')
  const failed = await list('userId=*&status=failed&q=-4', operator)
  t.same(failed.jobs.map(({ id, userId }) => [id, userId]), [], 'the beginning of an id')
  t.same(ids(await list('userId=*&status=failed&q=2-', operator)), ['2-4'])
  t.same((await list('userId=*&sort=finished&status=failed', operator)).pagination.total, 11)
  t.same((await list(`userId=*&sort=finished&from=${1_640_995_299_990}&name=name0`, operator)).pagination.total, 4)
  t.notOk('userId' in ((await list('userId=2', operator)).jobs[0] as Row), 'not in the list of one user')
  t.equal((await list('userId=*', tokenOf(1))).status, 403)
  t.equal((await list('userId=*', tokenOf(1, { scope: 'jobs:read' }))).status, 403)
})

t.test('a search that stops at its bound says so, and its cursor continues behind', async t => {
  const many = tokenOf('many')
  const bulk = async () => (await app.inject({
    method: 'POST',
    url: '/bulk',
    headers: { authorization: `Bearer ${many}` },
    payload: { action: 'retry', filter: { q: 'oldest', to: 50_000 }, dryRun: true }
  })).json<{ matched: number }>()
  // While the table is small: a plan that is kept from then would take minutes afterwards.
  t.match(await bulk(), { matched: 0 })
  t.match(await list('q=oldest', many), { jobs: [] })
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, state, created_ms)
    select 'default', 'many-' || i, 'many', case when i = 7 then 'oldest' else 'work' end, 4, i from generate_series(1, 100100) i`
  t.match(await bulk(), { matched: 1 })

  const first = await list('q=oldest', many)
  t.match(first, { jobs: [], pagination: { total: 0, totalIsCapped: true, isPartial: true } })
  let page = first
  let scanned = 0
  for (; page.pagination.next !== null; page = await list(`q=oldest&cursor=${page.pagination.next}`, many)) {
    scanned += page.pagination.scanned ?? 0
  }
  t.same(ids(page), ['many-7'])
  t.match(page.pagination, { total: 1, isPartial: undefined })
  t.equal(scanned + (page.pagination.scanned ?? 0), 100_100, 'each job once')
})

t.test('a search ends after 100,000 jobs, or when its time is up', async t => {
  const search = async (scanMs: number, q = 'work', offset = 0) => {
    const { rows, scan } = await findPage(app.sql, { userId: 'many', q }, { limit: 3, offset }, { scanMs })
    return { ids: rows.map(({ id }) => id), ...scan }
  }
  const first = ['many-100100', 'many-100099', 'many-100098']
  t.match(await search(0), { ids: first, rows: 10_000, matching: 10_000, endedAt: { key: 90_101 } })
  t.match(await search(Infinity), { ids: first, rows: 100_000, matching: 100_000, endedAt: { key: 101 } })
  t.match(await search(Infinity, 'work', 9_999), { ids: ['many-90101', 'many-90100', 'many-90099'] }, 'of two steps')
  t.match(await search(Infinity, 'work', 99_999), { ids: ['many-101'] })
  t.match(await search(Infinity, 'oldest'), { ids: [], rows: 100_000, matching: 0 })
})
