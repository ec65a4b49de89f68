import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import createError from '@fastify/error'
import { until } from '@tidings/testing'
import { DrizzleQueryError } from 'drizzle-orm'
import Fastify from 'fastify'
import t from 'tap'
import { Type } from 'typebox'
import { problems, serviceOptions, validatorCompiler } from '../src/index.ts'

const Body = Type.Object(
  {
    name: Type.String(),
    size: Type.Optional(Type.Integer({ maximum: 5 })),
    kind: Type.Optional(Type.Unsafe({ enum: ['one', 'two', null] }))
  },
  { additionalProperties: false }
)
const Gone = createError('THING_GONE', 'Thing %s is gone', 410)
const Away = createError('STORE_AWAY', 'The store is away', 503)

const app = Fastify({ bodyLimit: 100 })
app.setValidatorCompiler(validatorCompiler)
app.register(problems)
app.register(async app => {
  app.post('/things', { schema: { body: Body } }, async () => ({}))
  app.get('/things/:id', { schema: { params: Type.Object({ id: Type.Integer() }) } }, async request => {
    throw new Gone(
      (request.params as { id: number }).id
    )
  })
  app.get('/secret', async () => { throw new Error('password is hunter2') })
  app.get('/away', async () => { throw new Away() })
})
t.teardown(() => app.close())

const large = Fastify()
large.setValidatorCompiler(validatorCompiler)
large.register(problems)
large.register(async app => { app.post('/things', { schema: { body: Body } }, async () => ({})) })
t.teardown(() => large.close())

const inject = (to: typeof app, payload: object) => to.inject({ method: 'POST', url: '/things', payload })

const post = (payload: string | object) =>
  app.inject({ method: 'POST', url: '/things', payload, headers: { 'content-type': 'application/json' } })

t.test('each fault of the input has its path', async t => {
  const answer = await post({ size: 9, colour: 'red' })
  t.equal(answer.statusCode, 400)
  t.equal(answer.headers['content-type'], 'application/problem+json')
  const { errors, ...problem } = answer.json()
  t.match(problem, {
    type: 'urn:tidings:problem:invalid-input', title: 'Bad Request', status: 400, instance: /^urn:request:/
  })
  t.same(errors.map(({ path }: { path: string }) => path).sort(), ['body.colour', 'body.name', 'body.size'])
})

t.test('names from clients are listed within bounds', async t => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, 1]))
  const { errors } = (await inject(
    large, { name: 'a', ...many, ['x'.repeat(5000)]: 1 }
  )).json<{ errors: { path: string, message: string }[] }>()
  t.match(errors.find(({ message }) => message.startsWith('unknown: f0, f1')), {
    path: 'body', message: /f19 and 31 more$/
  })
  for (const { path, message } of errors) t.ok(path.length < 300 && message.length < 6000)
  const [fault] = (await inject(
    large, { name: 'a', ['x'.repeat(5000)]: 1 }
  )).json<{ errors: { path: string }[] }>().errors
  t.match(fault?.path, /^body\.x{200,251}…$/)
})

t.test('numbers as strings are refused in a body', async t => {
  t.same((await post({ name: 'a', size: '3' })).json().errors, [{ path: 'body.size', message: 'must be integer' }])
})

t.test('a body that is not JSON, too large or of another type is refused as such', async t => {
  t.match((await post('{')).json(), { status: 400, detail: /JSON/ })
  t.match((await post({ name: 'x'.repeat(200) })).json(), { status: 413 })
  const xml = await app.inject(
    { method: 'POST', url: '/things', payload: '<a/>', headers: { 'content-type': 'text/xml' } }
  )
  t.match(xml.json(), { status: 415, detail: 'A body is application/json; its Content-Type is text/xml' })
})

t.test('a missing field, and a choice that may be null, are described in words', async t => {
  t.same((await post({})).json().errors, [{ path: 'body.name', message: 'is missing' }])
  t.same((await post({ name: 'a', kind: 'x' })).json().errors, [
    { path: 'body.kind', message: 'must be equal to one of the allowed values: one, two, null' }
  ])
})

t.test('a client that goes away while it sends is no failure, least of all of a dependency', async t => {
  const lines: { level: number, msg: string, err?: { code?: string } }[] = []
  const app = Fastify(
    { logger: { level: 'debug', stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } } }
  )
  t.teardown(() => app.close())
  app.register(problems)
  app.register(async app => { app.post('/', async () => ({})) })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const arrived = once(app.server, 'request')
  const socket = connect(Number(port), '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{')
  const [request] = await arrived as [IncomingMessage]
  socket.destroy()
  await new Promise(resolve => request.once('close', resolve))
  await until(() => lines.some(({ err }) => err?.code === 'ECONNRESET'), { what: 'the end to be logged' })
  t.same(lines.filter(({ level }) => level > 30), [])
})

t.test('a client that sends far too much still receives the reason', async t => {
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  for (let n = 0; n < 10; n++) {
    const answer = await fetch(
      `${url}/things`, { method: 'POST', body: 'x'.repeat(5_000_000), headers: { 'content-type': 'application/json' } }
    )
    t.equal(answer.status, 413)
  }
})

t.test('a deliberate error keeps its code and message', async t => {
  t.match((await app.inject('/things/5')).json(), {
    type: 'urn:tidings:problem:thing-gone', status: 410, detail: 'Thing 5 is gone'
  })
})

t.test('an internal error shows no internal details', async t => {
  const answer = await app.inject('/secret')
  t.equal(answer.statusCode, 500)
  t.notMatch(answer.body, /hunter2|stack/)
})

t.test('a 503 says when to try again', async t => {
  const answer = await app.inject('/away')
  t.equal(answer.headers['retry-after'], '1')
  t.match(answer.json(), { detail: 'The store is away' })
})

t.test('an unknown route is a problem too', async t => {
  t.match((await app.inject('/nowhere?token=x')).json(), { status: 404, detail: 'No route GET /nowhere' })
})

t.test('an unavailable Postgres or Redis is a 503 without internal details', async t => {
  const app = Fastify().register(problems)
  t.teardown(() => app.close())
  const passing: Record<string, Error> = {
    ...Object.fromEntries([
      'ECONNREFUSED', 'CONNECTION_CLOSED', 'CONNECT_TIMEOUT', 'EMFILE', '08006', '57P01', '57P02', '57P03', '57014',
      '55P03', '25006',
      '53000', '53100', '53200', '53300', '53400', '58030', '40001', '40P01', '28P01'
    ].map(code => [code, Object.assign(new Error('inside'), { code })])),
    ...Object.fromEntries([
      'READONLY You can\'t write against a read only replica.',
      'OOM command not allowed when used memory > \'maxmemory\'.',
      'MISCONF Redis is configured to save RDB snapshots', 'LOADING Redis is loading the dataset in memory',
      'NOAUTH Authentication required.',
      'WRONGPASS invalid username-password pair', 'NOPERM this user has no permissions',
      'CLUSTERDOWN The cluster is down', '-READONLY of a script'
    ].map((text, i) => [`reply${i}`, Object.assign(new Error(text), { name: 'ReplyError' })])),
    ...Object.fromEntries([
      'Connection is closed.', 'Command timed out', 'Stream isn\'t writeable and enableOfflineQueue options is false'
    ].map((text, i) => [`client${i}`, new Error(text)])),
    wrapped: new DrizzleQueryError('insert', [], Object.assign(new Error('inside'), { code: '53100' }))
  }
  for (const [path, err] of Object.entries(passing)) app.get(`/${path}`, async () => { throw err })
  for (const path of Object.keys(passing)) {
    const answer = await app.inject(`/${path}`)
    t.equal(answer.statusCode, 503, path)
    t.equal(answer.headers['retry-after'], '1', path)
    t.equal(answer.json().type, 'urn:tidings:problem:unavailable', path)
    t.notMatch(answer.body, /inside|READONLY|password/, path)
  }
})

t.test('a statement that Postgres refuses is an internal error without its code', async t => {
  const app = Fastify().register(problems)
  app.get('/', async () => { throw Object.assign(new Error('inside'), { code: '42P01' }) })
  t.teardown(() => app.close())
  const answer = await app.inject('/')
  t.match(answer.json(), { status: 500, type: 'urn:tidings:problem:internal-error' })
  t.notMatch(answer.body, /42P01|inside/i)
})

t.test('a URL that no route can parse is answered as a problem', async t => {
  const app = Fastify({
    ...serviceOptions({ LOG_LEVEL: 'silent' }),
    routerOptions: { maxParamLength: 10 }
  }).register(problems)
  app.get('/things/:id', async () => ({}))
  t.teardown(() => app.close())
  for (const [url, status] of [['/things/%zz', 400], [`/things/${'a'.repeat(11)}`, 414]] as const) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, status)
    t.equal(answer.headers['content-type'], 'application/problem+json')
    t.match(answer.json(), { status, instance: /^urn:request:/ })
  }
})

t.test('a failed statement is logged without its parameters', async t => {
  const lines: string[] = []
  const app = Fastify({ logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(() => app.close())
  app.register(problems)
  app.get('/statement', async () => {
    throw new DrizzleQueryError(
      'insert into hooks values ($1)', ['Bearer hunter2'], new Error('the disk is full')
    )
  })
  t.equal((await app.inject('/statement')).statusCode, 500)
  t.match(lines.join(''), /the disk is full.*insert into hooks values/)
  t.notMatch(lines.join(''), /hunter2/)
})
