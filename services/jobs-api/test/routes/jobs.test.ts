import t from 'tap'
import { tokenOf } from '@tidings/testing'
import { makeRows } from '../generate-rows.ts'
import { setup } from '../setup.ts'

/** The creation time of these jobs, that of the documentation. */
const KEEP = { JOB_RETENTION_DAYS: '36500' }

const bearer = (user: string | number) => ({ authorization: `Bearer ${tokenOf(user)}` })

t.test('a job', async t => {
  const { app, database } = await setup(t, KEEP)
  await makeRows(database.sql, { userId: '1', count: 10 })
  const get = (url: string, user: string | number = 1, headers = {}) => app.inject({
    url, headers: { ...bearer(user), ...headers }
  })

  await t.test('has the format that clients know', async t => {
    t.same((await get('/jobs/1-3')).json(), {
      id: '1-3',
      name: 'name0',
      queue: 'queue0',
      state: 'completed',
      progress: 50,
      timestamp: { created: 1640995200003, started: 1640995200003, finished: 1640995200003 },
      lastEventId: '1640995200003-0',
      attempts: { made: 0, max: 1 },
      result: 'done'
    })
    t.match((await get('/jobs/1-4')).json(), { state: 'failed', failedReason: 'broken' })
    t.notOk('result' in (await get('/jobs/1-2')).json(), 'no result before it is completed')
  })

  await t.test('of another user is not found, nor is one that does not exist', async t => {
    for (const answer of [await get('/jobs/1-3', 2), await get('/jobs/nothing'), await get('/jobs/1-3?queue=queue1')]) {
      t.equal(answer.statusCode, 404)
      t.match(answer.headers['content-type'], 'application/problem+json')
    }
    t.equal((await app.inject('/jobs/1-3')).statusCode, 401)
  })

  await t.test('whose result is too large for an event is returned whole', async t => {
    await database.sql`update jobs.jobs set result = null, result_truncated = true where id in ('1-3', '1-8')`
    await database.sql`insert into jobs.results (queue, id, generation_ms, generation_seq, result) select queue, id, 0, 0, '{"rows": [1, 2]}' from jobs.jobs where id = '1-3'`
    const kept = (await get('/jobs/1-3')).json()
    t.same(kept.result, { rows: [1, 2] })
    t.notOk('resultTruncated' in kept)
    t.match((await get('/jobs/1-8')).json(), { result: null, resultTruncated: true })
  })

  await t.test('with more than a thousand events returns the newest', async t => {
    await database.sql`insert into jobs.timeline (job, event_ms, event_seq, type, timestamp) select n, created_ms + i, 0, 'waiting', i from jobs.jobs, generate_series(1, 1100) i where id = '1-2'`
    const { events } = (await get('/jobs/1-2/events')).json()
    t.same(
      events.map(({ timestamp }: { timestamp: number }) => timestamp), Array.from({ length: 1000 }, (_, i) => i + 101)
    )
  })

  await t.test('whose id exists twice is the newest, unless a queue is named', async t => {
    for (const [queue, name] of [['a', 'first'], ['b', 'second']] as const) {
      await database.sql`insert into jobs.jobs (queue, id, generation_ms, user_id, name, created_ms) values (${queue}, '77', 1, '1', ${name}, 1)`
    }
    t.equal((await get('/jobs/77')).json().name, 'second')
    t.equal((await get('/jobs/77?queue=a')).json().name, 'first')
  })

  await t.test('is read together with concurrent requests, and each gets its own', async t => {
    const answers = await Promise.all(
      Array.from({ length: 250 }, async (_, i) => await get(`/jobs/1-${i % 20}`, i % 3 === 0 ? 2 : 1))
    )
    answers.forEach((answer, i) => {
      const isOwn = i % 3 !== 0 && i % 20 < 10
      if ((answer.statusCode === 200) !== isOwn || (isOwn && answer.json().id !== `1-${i % 20}`)) {
        t.fail(`answer ${i} is not its own`)
      }
    })
  })

  await t.test('refuses invalid parameters', async t => {
    for (const url of [
      '/jobs/1-3?wait=0', '/jobs/1-3?wait=31', '/jobs/1-3?wait=1.5', '/jobs/1-3?after=yesterday',
      '/jobs/1-3?colour=red', '/jobs/a%00b', `/jobs/${'a'.repeat(300)}`
    ]) {
      t.equal((await get(url)).statusCode, 400, url)
    }
  })
})

t.test('a list', async t => {
  const { app, database } = await setup(t, KEEP)
  await makeRows(database.sql, { userId: '1', count: 50 })
  await makeRows(database.sql, { userId: '2', count: 5 })
  const list = async (query: string, user = 1) => (
    await app.inject({ url: `/jobs${query}`, headers: bearer(user) })
  ).json()
  const ids = ({ jobs }: { jobs: { id: string }[] }) => jobs.map(({ id }) => id)

  await t.test('returns the newest ten, and the total', async t => {
    const { jobs, pagination: { next, ...pagination } } = await list('')
    t.same(pagination, { total: 50, page: 1, limit: 10, pages: 5 })
    t.type(next, 'string')
    t.same(ids({ jobs }), Array.from({ length: 10 }, (_, i) => `1-${49 - i}`))
    t.same(jobs[0], {
      id: '1-49',
      name: 'name3',
      queue: 'queue0',
      state: 'failed',
      progress: 50,
      timestamp: { created: 1640995200049, started: 1640995200049, finished: 1640995200049 },
      lastEventId: '1640995200049-0'
    })
  })

  await t.test('returns every job once, page by page or by cursor', async t => {
    const pages = await Promise.all([1, 2, 3, 4, 5, 6].map(page => list(`?page=${page}`)))
    const byCursor: string[] = []
    let page = await list('?limit=7')
    for (byCursor.push(...ids(page)); page.pagination.next; byCursor.push(...ids(page))) {
      page = await list(`?limit=7&cursor=${page.pagination.next}`)
    }
    const all = Array.from({ length: 50 }, (_, i) => `1-${49 - i}`)
    t.same(pages.flatMap(ids), all)
    t.same(byCursor, all)
    t.same(pages.map(({ pagination }) => pagination.next === null), [false, false, false, false, true, true])
    t.equal(page.pagination.page, 8, 'a page after a cursor has its number')
  })

  await t.test('of a state has the correct total', async t => {
    for (const [place, status] of ['waiting', 'delayed', 'active', 'completed', 'failed'].entries()) {
      const { jobs, pagination } = await list(`?status=${status}&limit=100`)
      t.equal(pagination.total, 10, status)
      t.same(ids({ jobs }), Array.from({ length: 10 }, (_, i) => `1-${45 + place - 5 * i}`))
    }
  })

  await t.test('can be narrowed by each filter and all of them together', async t => {
    const everything = (await list('?limit=100')).jobs as {
      id: string, name: string, queue: string, state: string, timestamp: { created: number }
    }[]
    const from = 1_640_995_200_007
    const to = 1_640_995_200_041
    const tests = {
      status: ['failed', (job: typeof everything[0]) => job.state === 'failed'],
      name: ['name1', (job: typeof everything[0]) => job.name === 'name1'],
      queue: ['queue2', (job: typeof everything[0]) => job.queue === 'queue2'],
      from: [from, (job: typeof everything[0]) => job.timestamp.created >= from],
      to: [to, (job: typeof everything[0]) => job.timestamp.created < to]
    } as const
    const names = Object.keys(tests) as (keyof typeof tests)[]
    for (let mask = 1; mask < 32; mask++) {
      const chosen = names.filter((_, i) => mask & 1 << i)
      const query = chosen.map(name => `${name}=${tests[name][0]}`).join('&')
      const expected = everything.filter(job => chosen.every(name => tests[name][1](job))).map(({ id }) => id)
      const found = await list(`?limit=100&${query}`)
      t.same(ids(found), expected, query)
      t.equal(found.pagination.total, expected.length)
      if (expected.length > 3) {
        const [first, second] = [await list(`?limit=2&${query}`), await list(`?limit=2&page=2&${query}`)]
        t.same([...ids(first), ...ids(second)], expected.slice(0, 4), 'page by page too')
        t.same(
          ids(await list(`?limit=2&${query}&cursor=${first.pagination.next}`)), expected.slice(2, 4), 'and by cursor'
        )
      }
    }
  })

  await t.test('ignores a filter without a value, as HTML forms send it', async t => {
    const all = await list('?limit=3')
    for (const query of [
      'status=', 'name=', 'queue=', 'cursor=', 'after=', 'page=', 'from=&to=', 'sort=&q=&page=&after='
    ]) {
      t.same(await list(`?limit=3&${query}`), all, query)
    }
    t.same(await list('?limit='), await list(''))
    t.same(await list('?limit=3&name=&status=failed'), await list('?limit=3&status=failed'))
    t.same((await app.inject({ url: '/jobs/counts?queue=', headers: bearer(1) })).json(), (await app.inject({
      url: '/jobs/counts', headers: bearer(1)
    })).json())
    t.equal((await app.inject({ url: '/jobs/1-3?queue=&after=', headers: bearer(1) })).json().id, '1-3')
  })

  await t.test('after a cursor is limited by the earlier of the cursor and `to`', async t => {
    const { pagination: { next } } = await list('?limit=10') // after 1-40
    const at = (place: number) => 1_640_995_200_000 + place
    for (const [to, newest] of [[at(50), 39], [at(40), 39], [at(39), 38], [at(10), 9]] as const) {
      t.same(ids(await list(`?limit=3&cursor=${next}&to=${to}`)), [0, 1, 2].map(i => `1-${newest - i}`), String(to))
    }
  })

  await t.test('never contains jobs of other users', async t => {
    t.equal((await list('', 2)).pagination.total, 5)
    t.same(await list('', 3), { jobs: [], pagination: { total: 0, page: 1, limit: 10, pages: 0, next: null } })
  })

  await t.test('far beyond its end is empty', async t => {
    t.same((await list('?page=1000000000&limit=100')).jobs, [])
  })

  await t.test('is counted by state', async t => {
    t.same((await app.inject({ url: '/jobs/counts', headers: bearer(1) })).json(), {
      waiting: 10, delayed: 10, active: 10, completed: 10, failed: 10
    })
    t.same((await app.inject({ url: '/jobs/counts', headers: bearer(3) })).json(), {
      waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0
    })
  })

  await t.test('refuses an invalid query with the path of the fault', async t => {
    for (const query of [
      'limit=1000', 'limit=0', 'limit=2.5', 'page=0', 'page=x', 'page=1.5', 'page=1e3', 'page=0x10', 'page=%201',
      'from=1.5', 'to=1e12', 'from=yesterday', 'to=2022-13-01', 'to=9007199254740992', 'from=-1',
      'status=foo', 'name=a&name=b', 'cursor=nonsense', 'colour=red'
    ]) {
      const answer = await list(`?${query}`)
      t.equal(answer.status, 400, query)
      t.equal(answer.errors[0].path, `querystring.${query.split('=')[0]}`)
    }
  })
})

t.test('the same over a real connection', async t => {
  const { app } = await setup(t)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const submitted = await fetch(`${address}/submit-job`, {
    method: 'POST',
    headers: { ...bearer('a@b.c'), 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'dataProcessing', data: { file: 'data.csv' } })
  })
  t.equal(submitted.status, 202)
  const job = await fetch(new URL(submitted.headers.get('location') ?? '', address), { headers: bearer('a@b.c') })
  t.match(await job.json(), { name: 'dataProcessing', state: 'waiting' })
  const list = await fetch(`${address}/jobs?page=1&limit=10&status=waiting`, { headers: bearer('a@b.c') })
  t.match(await list.json(), {
    jobs: [{ name: 'dataProcessing' }], pagination: { total: 1, page: 1, limit: 10, pages: 1 }
  })
})
