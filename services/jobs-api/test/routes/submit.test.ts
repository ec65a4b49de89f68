import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { setup, startServers, startApp } from '../setup.ts'

const bearer = (user: string | number) => ({ authorization: `Bearer ${tokenOf(user)}` })

t.test('a submitted job', async t => {
  const { app, database } = await setup(t, { JOB_QUEUES: 'default,reports' })
  const submit = (payload: unknown, headers = {}) => app.inject({
    method: 'POST', url: '/submit-job', headers: { ...bearer(1), ...headers }, payload: payload as object
  })

  await t.test('is accepted, with its path', async t => {
    const answer = await submit({ name: 'dataProcessing', data: { file: 'data.csv' } })
    t.equal(answer.statusCode, 202)
    const { jobId, ...rest } = answer.json()
    t.same(rest, { name: 'dataProcessing', queue: 'default', state: 'waiting' })
    t.equal(answer.headers.location, `/jobs/${jobId}`)

    const shown = await app.inject({ url: `/jobs/${jobId}`, headers: bearer(1) })
    t.equal(shown.statusCode, 200)
    t.match(shown.json(), {
      id: jobId, name: 'dataProcessing', state: 'waiting', progress: 0, timestamp: { started: null, finished: null }
    })
  })

  await t.test('is in its queue with its id, its data and its owner', async t => {
    const { jobId } = (await submit({
      name: 'report',
      queue: 'reports',
      data: { file: 'a', userId: 2 },
      attempts: 3,
      backoff: { type: 'fixed', delay: 5 },
      priority: 4
    })).json()
    // Redis may accept it after the response
    const job = await until(async () => await app.findQueue('reports').getJob(jobId))
    t.same(job?.data, { file: 'a', userId: 1 })
    t.match(job?.opts, {
      attempts: 3, backoff: { type: 'fixed', delay: 5 }, priority: 4, removeOnComplete: { age: 14_400, limit: 100 }
    })
  })

  await t.test('with a delay is delayed, and due at the requested time', async t => {
    const answer = (await submit({ name: 'later', delay: 60_000 })).json()
    t.equal(answer.state, 'delayed')
    const job = await until(async () => await app.findQueue('default').getJob(answer.jobId))
    t.equal(await job?.getState(), 'delayed')
    t.equal(
      job?.timestamp, (await app.inject({ url: `/jobs/${answer.jobId}`, headers: bearer(1) })).json().timestamp.created
    )
  })

  await t.test('counts', async t => {
    const rows = await database.sql`select state, count::int from jobs.counts where user_id = '1' order by state`
    t.same(rows.map(({ state, count }) => [state, count]), [[0, 2], [1, 1]])
  })

  await t.test('keeps every JSON value', async t => {
    const data = { text: 'nul \u0000, a pair \ud83d\ude00', list: [null, 1.5, { 'a.b': [] }] }
    const { jobId } = (await submit({ name: 'Übertragung 💥', data })).json()
    t.same((await until(async () => await app.findQueue('default').getJob(jobId)))?.data, { ...data, userId: 1 })
  })

  await t.test('is refused with the path of the fault', async t => {
    let deep: unknown = 1
    for (let i = 0; i < 70; i++) deep = [deep]
    const cases: [unknown, string][] = [
      [{}, 'body.name'],
      [{ name: 5 }, 'body.name'],
      [{ name: 'a\u0000' }, 'body.name'],
      [{ name: 'x', dat: {} }, 'body.dat'],
      [{ name: 'x', data: [] }, 'body.data'],
      [{ name: 'x', data: { deep } }, 'body.data'],
      [{ name: 'x', queue: 'unknown' }, 'body.queue'],
      [{ name: 'x', delay: '5' }, 'body.delay'],
      [{ name: 'x', priority: -1 }, 'body.priority'],
      [{ name: 'x', webhookUrl: 'ftp://example.com/' }, 'body.webhookUrl'],
      [{ name: 'x', webhookUrl: 'nowhere' }, 'body.webhookUrl'],
      [{ name: 'x', webhookUrl: 'http://localhost:9/', queue: 'unknown' }, 'body.queue'],
      [{ name: 'x', webhookUrl: 'https://user:secret@example.com/' }, 'body.webhookUrl'],
      [{ name: 'x', webhookUrl: 'http://127.0.0.1:3000/webhook' }, 'body.webhookUrl'],
      [{ name: 'x', webhookUrl: 'http://2130706433/' }, 'body.webhookUrl'],
      [{ name: 'x', webhookUrl: 'http://[::ffff:10.0.0.1]/' }, 'body.webhookUrl'],
      [{ name: 'x', webhookUrl: 'http://169.254.169.254/latest/meta-data' }, 'body.webhookUrl'],
      [{ name: 'x', webhookEventType: 'failed' }, 'body.webhookEventType'],
      [{ name: 'x', webhookUrl: 'https://example.com/', webhookEventType: 'progress' }, 'body.webhookEventType']
    ]
    for (const [body, path] of cases) {
      const answer = await submit(body)
      t.equal(answer.statusCode, 400, path)
      t.match(answer.headers['content-type'], 'application/problem+json')
      t.ok(answer.json().errors.some((fault: { path: string }) => fault.path === path), `${path} is named`)
    }
  })

  await t.test('is refused when it is too large or invalid JSON', async t => {
    t.equal((await submit({ name: 'x', data: { text: 'a'.repeat(2 * 1024 * 1024) } })).statusCode, 413)
    const invalid = await app.inject({
      method: 'POST',
      url: '/submit-job',
      headers: { ...bearer(1), 'content-type': 'application/json' },
      payload: '{"name":'
    })
    t.equal(invalid.statusCode, 400)
    t.equal(
      (await app.inject({
        method: 'POST', url: '/submit-job', headers: { ...bearer(1), 'content-type': 'text/plain' }, payload: 'x'
      })).statusCode,
      415
    )
  })

  await t.test('needs a token', async t => {
    const answer = await app.inject({ method: 'POST', url: '/submit-job', payload: { name: 'x' } })
    t.equal(answer.statusCode, 401)
    t.equal(answer.headers['www-authenticate'], 'Bearer')
    t.equal(
      (await app.inject({
        method: 'POST',
        url: '/submit-job',
        headers: {
          authorization: `Bearer ${tokenOf(1, { secret: 'another-secret-altogether-than-ours' })}`
        },
        payload: { name: 'x' }
      })).statusCode,
      401
    )
  })
})

t.test('a webhookUrl is checked by the rules of delivery', async t => {
  const { env } = await startServers(t)
  const faultsUnder = async (settings: Record<string, string>, webhookUrl: string) => {
    const app = await startApp(t, { ...env, ...settings })
    const jobs = [{ name: 'x' }, { name: 'x', webhookUrl }]
    const answer = await app.inject({ method: 'POST', url: '/submit-jobs', headers: bearer(1), payload: { jobs } })
    return answer.statusCode === 202 ? [] : answer.json().errors
  }
  const atJob = (message: string) => [{ path: 'body.jobs.1.webhookUrl', message }]

  t.same(await faultsUnder({}, 'http://localhost:3000/webhook'), [], 'a host name is checked when it is connected to')
  t.same(await faultsUnder({ WEBHOOK_ALLOW_PRIVATE: 'true' }, 'http://127.0.0.1:3000/webhook'), [])
  t.same(await faultsUnder({ WEBHOOK_ALLOW_PRIVATE: 'true' }, 'http://169.254.169.254/'), atJob(
    'must not point at an address that is not public'
  ))
  t.same(await faultsUnder({ WEBHOOK_REQUIRE_HTTPS: 'true' }, 'http://example.com/'), atJob('must be an https URL'))
  t.same(await faultsUnder({ WEBHOOK_PORTS: '443,8443' }, 'https://example.com:444/'), atJob(
    'must use one of the ports 443, 8443'
  ))

  const app = await startApp(t, env)
  for (const webhookUrl of [
    'http://127.1/', 'http://[::ffff:7f00:1]/', 'http://169.254.169.254/latest/meta-data', 'http://[64:ff9b::a00:1]/',
    'http://①②⑦.0.0.1/', 'http://[fd00:ec2::254]/', 'http://100.100.100.200/', 'http://user@example.com/', 'file:///etc/passwd'
  ]) {
    const job = { name: 'x', webhookUrl }
    for (const [url, payload] of [['/submit-job', job], ['/submit-jobs', { jobs: [job] }]] as const) {
      const answer = await app.inject({ method: 'POST', url, headers: bearer(1), payload })
      t.match([answer.statusCode, answer.json().errors?.[0].path], [400, /\.webhookUrl$/], `${url} ${webhookUrl}`)
    }
  }
})

t.test('a job with nulls', async t => {
  const { app } = await setup(t)
  const submit = (payload: object, headers = {}) => app.inject({
    method: 'POST', url: '/submit-job', headers: { ...bearer(1), ...headers }, payload
  })

  await t.test('may have null for each optional field, and null within its data', async t => {
    const nulls = {
      data: null,
      queue: null,
      delay: null,
      priority: null,
      attempts: null,
      backoff: null,
      webhookUrl: null,
      webhookEventType: null
    }
    const answer = await submit({ name: 'nothing', ...nulls })
    t.equal(answer.statusCode, 202)
    t.match(answer.json(), { queue: 'default', state: 'waiting' })
    const job = await app.findQueue('default').getJob(answer.json().jobId)
    t.same(job?.data, { userId: 1 })
    t.equal(job?.opts.attempts, 1)
    for (const name of Object.keys(nulls)) {
      t.equal((await submit({ name: 'nothing', [name]: null })).statusCode, 202, name)
    }
    const within = await submit({ name: 'nothing', data: { value: null } })
    t.same((await app.findQueue('default').getJob(within.json().jobId))?.data, { value: null, userId: 1 })
    t.same((await submit({ name: null })).json().errors?.[0]?.path, 'body.name')
    t.equal((await submit({ name: 'x', backoff: { type: 'fixed', delay: null } })).statusCode, 400)
  })

  await t.test('repeated with the same Idempotency-Key is the same with a field left out or null', async t => {
    const key = { 'idempotency-key': 'nulls' }
    const first = await submit({ name: 'nulls', data: { a: null } }, key)
    t.same(
      (await submit({ name: 'nulls', data: { a: null }, delay: null, webhookUrl: null }, key)).json(), first.json()
    )
    t.equal((await submit({ name: 'nulls', data: {} }, key)).statusCode, 409, 'within data null is a value')
    const batch = async (jobs: object[]) =>
      await app.inject({
        method: 'POST',
        url: '/submit-jobs',
        headers: { ...bearer(1), 'idempotency-key': 'null batch' },
        payload: { jobs }
      })
    const whole = await batch([{ name: 'a' }, { name: 'b', queue: null }])
    t.equal(whole.statusCode, 202)
    t.same((await batch([{ name: 'a', data: null }, { name: 'b' }])).json(), whole.json())
  })
})

t.test('a repeated request with the same Idempotency-Key', async t => {
  const { app, database } = await setup(t)
  const submit = (payload: object, key: string, user = 1) =>
    app.inject({ method: 'POST', url: '/submit-job', headers: { ...bearer(user), 'idempotency-key': key }, payload })
  const jobs = async () => (await database.sql`select count(*)::int from jobs.jobs`)[0]?.count

  await t.test('gets the first response, in any order of its fields', async t => {
    const first = await submit({ name: 'once', data: { a: 1, b: 2 } }, 'k1')
    const second = await submit({ data: { b: 2, a: 1 }, name: 'once' }, 'k1')
    t.equal(second.statusCode, 202)
    t.same(second.json(), first.json())
    t.equal(second.headers.location, first.headers.location)
    t.equal(await jobs(), 1)
  })

  await t.test('with another body is a conflict', async t => {
    const answer = await submit({ name: 'twice' }, 'k1')
    t.equal(answer.statusCode, 409)
    t.match(answer.headers['content-type'], 'application/problem+json')
    t.equal(await jobs(), 1)
  })

  await t.test('of another user uses another key', async t => {
    t.equal((await submit({ name: 'twice' }, 'k1', 2)).statusCode, 202)
    t.equal(await jobs(), 2)
  })

  await t.test('creates one job, also if many are concurrent', async t => {
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await submit({ name: 'race' }, 'k2')))
    t.equal(new Set(answers.map(answer => answer.json().jobId)).size, 1)
    t.ok(answers.every(({ statusCode }) => statusCode === 202))
    t.equal(await jobs(), 3)
  })

  await t.test('creates a new job after a day', async t => {
    await database.sql`update jobs.idempotency_keys set created_at = now() - interval '25 hours' where key = 'k1'`
    t.equal((await submit({ name: 'new' }, 'k1')).statusCode, 202)
    t.equal(await jobs(), 4)
  })

  await t.test('must have a printable key', async t => {
    t.equal((await submit({ name: 'x' }, 'é')).statusCode, 400)
  })
})

t.test('a batch', async t => {
  const { app, database } = await setup(t, { JOB_QUEUES: 'default,reports' })
  const submit = (payload: object, headers = {}) => app.inject({
    method: 'POST', url: '/submit-jobs', headers: { ...bearer(1), ...headers }, payload
  })

  await t.test('of 1,000 jobs is accepted completely and in order', async t => {
    const jobs = Array.from({ length: 1000 }, (_, i) => ({
      name: `job ${i}`, queue: i % 2 ? 'reports' : 'default', ...(i % 3 === 0 && { delay: 60_000 })
    }))
    const answer = await submit({ jobs })
    t.equal(answer.statusCode, 202)
    t.same(answer.json().jobs.map(({ name }: { name: string }) => name), jobs.map(({ name }) => name))
    await until(async () => {
      const counts = await Promise.all(
        ['default', 'reports'].map(queue => app.findQueue(queue).getJobCounts('waiting', 'delayed'))
      )
      return counts.reduce((sum, { waiting = 0, delayed = 0 }) => sum + waiting + delayed, 0) === 1000
    }, { what: 'all of them to be queued' })
    const rows = await database.sql`select state, count::int from jobs.counts where user_id = '1' order by state`
    t.same(rows.map(({ state, count }) => [state, count]), [[0, 666], [1, 334]])
  })

  await t.test('with faults is refused completely, each fault with its path', async t => {
    const before = await database.sql`select count(*)::int from jobs.jobs`
    const answer = await submit({ jobs: [{ name: 'fine' }, { name: '' }, { nam: 'x' }] })
    t.equal(answer.statusCode, 400)
    const paths = answer.json().errors.map(({ path }: { path: string }) => path)
    t.ok(paths.includes('body.jobs.1.name'))
    t.ok(paths.includes('body.jobs.2.nam'))
    const many = await submit({
      jobs: Array.from({ length: 1000 }, (_, i) => ({ name: 'x', delay: i % 10 === 9 ? -1 : 0 }))
    })
    t.same(many.json().errors.map(({ path }: { path: string }) => path), Array.from(
      { length: 100 }, (_, i) => `body.jobs.${i * 10 + 9}.delay`
    ))
    const unknown = await submit({ jobs: [{ name: 'fine' }, { name: 'x', queue: 'nobody' }] })
    t.same(unknown.json().errors, [{ path: 'body.jobs.1.queue', message: 'must be one of: default, reports' }])
    t.same(await database.sql`select count(*)::int from jobs.jobs`, before)
  })

  await t.test('may be larger than one job, up to a limit', async t => {
    const jobs = (megabytes: number) => Array.from(
      { length: megabytes }, () => ({ name: 'heavy', data: { text: 'x'.repeat(1024 * 1024 - 100) } })
    )
    t.equal((await submit({ jobs: jobs(3) })).statusCode, 202)
    t.equal((await submit({ jobs: jobs(9) })).statusCode, 413)
  })

  await t.test('of no jobs, or of too many, is refused', async t => {
    t.equal((await submit({ jobs: [] })).statusCode, 400)
    t.equal((await submit({ jobs: Array(1001).fill({ name: 'x' }) })).statusCode, 400)
  })

  await t.test('can be repeated', async t => {
    const [first, second] = [
      await submit({ jobs: [{ name: 'a' }, { name: 'b' }] }, { 'idempotency-key': 'k' }),
      await submit({ jobs: [{ name: 'a' }, { name: 'b' }] }, { 'idempotency-key': 'k' })
    ]
    t.same(second.json(), first.json())
  })
})

t.test('a job is accepted while Redis is away', async t => {
  const { env, redis } = await startServers(t)
  const app = await startApp(t, env)
  const submit = () => app.inject({
    method: 'POST', url: '/submit-job', headers: bearer(1), payload: { name: 'patient' }
  })

  await until(async () => await app.findQueue('default').count() === 0, { what: 'the queue to be connected' })
  redis.pause()
  t.equal((await submit()).statusCode, 202, 'silent')
  await redis.stop()
  const gone = await submit()
  t.equal(gone.statusCode, 202, 'gone')
  t.equal((await app.inject({ url: gone.headers.location as string, headers: bearer(1) })).json().state, 'waiting')
})
