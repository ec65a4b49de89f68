import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import t from 'tap'
import { jsonBodies, problems } from '../src/index.ts'

const app = Fastify()
app.register(problems)
app.register(jsonBodies)
app.post('/', async ({ body }) => ({ body }))
app.get('/', async ({ query }) => ({ query }))
t.teardown(() => app.close())

const post = async (payload: string | Buffer, type = 'application/json', headers = {}) => {
  const answer = await app.inject(
    { method: 'POST', url: '/', headers: { 'content-type': type, host: 'x', ...headers }, payload }
  )
  return {
    status: answer.statusCode, ...answer.json() as { body?: unknown, errors?: { path: string, message: string }[] }
  }
}

t.test('a number that would change is a fault with its path', async t => {
  const cases: [string, string][] = [
    ['{"data":{"id":1152921506151679042}}', 'body.data.id'],
    ['{"data":{"list":[1,[2,{"a.b":9007199254740993}]]}}', 'body.data.list.1.1.a.b'],
    ['{"jobs":[{"name":"a"},{"name":"b","data":{"x":1e400}}]}', 'body.jobs.1.data.x'],
    ['{"x":-1e999}', 'body.x'],
    ['{"x":1e-400}', 'body.x'],
    ['[ 12345678901234567890 ]', 'body.0'],
    ['{"text":": 12345678901234567890 \\" {[","x":[{},12345678901234567891]}', 'body.x.1']
  ]
  for (const [text, path] of cases) {
    const { status, errors } = await post(text)
    t.equal(status, 400, text)
    t.same(errors?.map(error => error.path), [path], text)
  }
})

t.test('numbers that do not change pass, and so do digits in strings', async t => {
  for (const text of [
    '9007199254740991', '9007199254740992', '100000000000000000000', '1.0', '-0', '0e999', '1e308',
    '0.1234567890123456789', '"12345678901234567891"', '": 12345678901234567891"'
  ]) {
    t.equal((await post(`{"x": ${text}}`)).status, 200, text)
  }
})

t.test('at most 20 faults are named', async t => {
  t.equal((await post(`[${Array.from({ length: 100 }, () => '1e999').join(', ')}]`)).errors?.length, 20)
})

t.test('a lone surrogate is a fault with its path, in keys too', async t => {
  for (const [text, path] of [
    ['{"name":"\\ud800"}', 'body.name'], ['{"a":["\\udc00x"]}', 'body.a.0'], ['{"a":{"\\ud800":1}}', 'body.a'],
    ['{"a":"\\ud83d"}', 'body.a']
  ] as const) {
    const { status, errors } = await post(text)
    t.equal(status, 400, text)
    t.same(errors?.map(error => error.path), [path], text)
  }
  t.same((await post('{"a":"\\ud83d\\ude00", "\\\\ud800":"\\\\"}')).body, { a: '😀', '\\ud800': '\\' })
})

t.test('a body must be UTF-8, regardless of its Content-Type', async t => {
  for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8', 'us-ascii']) {
    t.equal((await post('{"a":"é"}', `application/json; charset=${charset}`)).status, 200, charset)
  }
  for (const charset of ['iso-8859-1', '"latin1"', 'utf-16']) {
    t.equal((await post('{}', `application/json;charset=${charset}`)).status, 415, charset)
  }
  t.match(await post(Buffer.from('{"a":"é"}', 'latin1')), { status: 400, errors: [{ path: 'body', message: /UTF-8/ }] })
  t.same((await post(Buffer.from('\ufeff{"a":1}'))).body, { a: 1 }, 'a byte order mark is skipped')
})

t.test('a body that is not JSON is a fault of the body that says where, and quotes nothing', async t => {
  for (const [text, message] of [
    ['', 'is empty: JSON was expected'],
    [' \n', 'is empty: JSON was expected'],
    ['{"secret":"hunter2"} x', /^is not valid JSON: .* at position 21 \(line 1 column 22\)$/],
    ['{"secret":hunter2,"and":"a longer text than V8 quotes whole"}', /^is not valid JSON: Unexpected token 'h'$/],
    ['{"a":NaN}', 'is not valid JSON: Unexpected token \'N\''],
    ['{"a":', /^is not valid JSON: Unexpected end/],
    ['{"a":{"__proto__":{}}}', /^has the key __proto__/],
    ['{"constructor":{"prototype":{}}}', /prototype in a constructor/]
  ] as const) {
    t.match(await post(text), { status: 400, errors: [{ path: 'body', message }] }, text)
  }
  t.notMatch(JSON.stringify(await post('{"secret":hunter2}')), 'hunter')
})

t.test('a compressed body is refused as such, whatever it holds', async t => {
  for (const encoding of ['gzip', 'br', 'x-unknown', 'gzip, identity']) {
    t.match(await post('{"a":1}', undefined, { 'content-encoding': encoding }), {
      status: 415, type: 'urn:tidings:problem:unsupported-encoding', detail: encoding
    }, encoding)
  }
  t.match(await post(gzipSync('{"a":1}'), undefined, { 'content-encoding': 'gzip' }), { status: 415 })
  t.equal((await post('{"a":1}', undefined, { 'content-encoding': 'Identity' })).status, 200)
})

t.test('a query string must be UTF-8', async t => {
  const status = async (query: string) => (await app.inject({ url: `/?${query}`, headers: { host: 'x' } })).statusCode
  for (const query of ['name=%ED%A0%80', 'name=%ff', '%c3=1']) t.equal(await status(query), 400, query)
  for (const query of ['name=%C3%A9', 'name=100%', 'name=a+b', '']) t.equal(await status(query), 200, query)
})
