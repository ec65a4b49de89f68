import t from 'tap'
import { TidingsError, type Schema } from '../src/index.ts'
import { job, json, startFakeServer } from './fake-server.ts'

const problem = { type: 'about:blank', title: 'Nope', status: 503, detail: 'later' }

t.test('a submit whose response is lost is sent again with the same idempotency key', async t => {
  const fake = await startFakeServer(t)
  const keys: unknown[] = []
  fake.onRequest = (request, response) => {
    keys.push(request.headers['idempotency-key'])
    if (keys.length === 1) response.destroy()
    else if (keys.length === 2) json(response, problem, 503, { 'retry-after': '1' })
    else json(response, { jobId: 'j', name: 'x', queue: 'default', state: 'waiting' }, 202)
  }
  const began = Date.now()
  t.match(await fake.client().jobs.submit('x', {}), { jobId: 'j' })
  t.equal(keys.length, 3)
  t.equal(new Set(keys).size, 1)
  t.ok(Date.now() - began >= 1000, 'Retry-After is waited for')
  await fake.client().jobs.submit('x', {})
  t.not(keys[3], keys[0], 'another submit has another key')
  await fake.client().jobs.submit('x', {}, { idempotencyKey: 'mine' })
  t.equal(keys[4], 'mine')
})

t.test('a command that might be done twice is not sent again, except where it was refused', async t => {
  const fake = await startFakeServer(t)
  let status = 503
  fake.onRequest = (_request, response) => {
    json(response, problem, status)
    status = status === 429 ? 409 : status
  }
  await t.rejects(fake.client().jobs.cancel('j'), { code: 'unavailable', status: 503, problem: { detail: 'later' } })
  t.equal(fake.requests.length, 1)
  status = 429
  await t.rejects(fake.client().jobs.retry('j'), { code: 'conflict' })
  t.equal(fake.requests.length, 3)
})

t.test('a Retry-After beyond a minute is handed to the caller', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => json(response, problem, 429, { 'retry-after': '9999999999' })
  const err = await fake.client().jobs.counts().catch((err: unknown) => err) as TidingsError
  t.match(err, { code: 'rate_limited', retryAfterMs: 86_400_000 })
  t.equal(fake.requests.length, 1)
})

t.test('a delete whose response is lost succeeds where the second says that there is nothing', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => {
    if (fake.requests.length === 1) response.destroy()
    else json(response, problem, 404)
  }
  await fake.client().webhooks.delete(1)
  await t.rejects(fake.client().webhooks.delete(1), { code: 'not_found' })
})

t.test('a refused token is renewed once for all requests that wait', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = ({ headers }, response) => {
    if (headers.authorization === 'Bearer new') json(response, { waiting: 1 })
    else json(response, problem, 401)
  }
  const reasons: string[] = []
  const client = fake.client(undefined, {
    token: ({ reason }) => {
      reasons.push(reason)
      return reason === 'start' ? 'old' : 'new'
    }
  })
  await Promise.all(Array.from({ length: 20 }, () => client.jobs.counts()))
  t.same(reasons, ['start', 'rejected'])
})

t.test('a token callback that fails is an error with its cause, and is asked again', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => json(response, {})
  let works = false
  const client = fake.client(undefined, {
    token: async () => {
      if (!works) throw new Error('no network')
      return 'token'
    }
  })
  await t.rejects(client.jobs.counts(), { code: 'token_failed', cause: { message: 'no network' } })
  works = true
  await client.jobs.counts()
  const none = fake.client(undefined, { token: () => '' })
  await t.rejects(none.jobs.counts(), { code: 'unauthorized' })
})

t.test('a request without a response is an error, and an abort is the reason of its signal', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = () => {}
  await t.rejects(fake.client(undefined, { timeout: 100, retries: 0 }).jobs.counts(), { code: 'timeout' })
  const signal = AbortSignal.timeout(50)
  await t.rejects(fake.client().jobs.counts({ signal }), { name: 'TimeoutError' })
  await t.rejects(fake.client(undefined, { url: 'http://127.0.0.1:1', retries: 0 }).jobs.counts(), { code: 'network' })
})

t.test('a detailed timeline asks for progress, whatever else it asks for', async t => {
  const fake = await startFakeServer(t)
  const timeline = {
    events: [],
    progress: [{ timestamp: 1, progress: 50 }],
    attempts: [{ number: 1, started: 1, finished: 2, outcome: 'failed', error: 'no' }]
  }
  fake.onRequest = (_request, response) => json(response, timeline)
  t.same(await fake.client().jobs.detailedTimeline('a/b', { queue: 'q', after: '1-0' }), timeline)
  t.equal(fake.requests[0], '/jobs/a%2Fb/events?queue=q&after=1-0&include=progress')
})

t.test('schemas check data before it is sent and results before they are returned', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = ({ method }, response) => method === 'POST'
    ? json(response, { jobId: 'j', name: 'resize', queue: 'default', state: 'waiting' }, 202)
    : json(response, job({ state: 'completed', result: { rows: '7' } }))
  const check = <Input, Output>(read: (value: Input) => Output): Schema<Input, Output> => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: value => {
        try {
          return { value: read(value as Input) }
        } catch (err) {
          return { issues: [{ message: (err as Error).message }] }
        }
      }
    }
  })
  const rows = check((value: { rows: string }) => ({ rows: Number(value.rows) }))
  const file = check((value: { file: string }) => {
    if (typeof value?.file !== 'string') throw new Error('file is no text')
    return value
  })
  const client = fake.client()
  t.match(await client.jobs.wait('j', { result: rows }), { result: { rows: 7 } })
  const never = check((): number => { throw new Error('no rows') })
  await t.rejects(client.jobs.wait('j', { result: never }), { code: 'invalid_value', issues: [{ message: 'no rows' }] })

  const { createClient } = await import('../src/index.ts')
  const typed = createClient({ url: fake.url, token: 'x', jobs: { resize: { data: file, result: rows } } })
  const handle = await typed.jobs.submit('resize', { file: 'a.png' })
  const { result } = await handle.wait()
  const number: number = result.rows
  t.equal(number, 7)
  // @ts-expect-error: the data is not what the schema takes
  await t.rejects(typed.jobs.submit('resize', { file: 5 }), { code: 'invalid_value' })
  // @ts-expect-error: there is no such job
  typed.jobs.submit('resise', {}).catch(() => {})
})

t.test('responses and events are read by parse', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (request, response) => {
    if (request.url?.startsWith('/events') !== true) {
      response.writeHead(200, { 'content-type': 'application/json' })
      return response.end('{"id":"1","progress":9007199254740993}')
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('event: session\ndata: {"recovered":false,"lastEventId":"1-0"}\n\n')
    response.write('event: job:progress\ndata: {"eventId":"2-0","jobId":"1","name":"a","queue":"q","userId":1,' +
      '"timestamp":1,"progress":9007199254740993}\n\n')
  }
  const parse = (text: string) => JSON.parse(text, (_key, value, context?: { source: string }) =>
    typeof value === 'number' && context && String(value) !== context.source ? context.source : value)
  const client = fake.client(['sse'], { parse })
  t.match(await client.jobs.get('1'), { progress: '9007199254740993' })
  t.match(await client.events().next(), { value: { type: 'progress', progress: '9007199254740993' } })
})
