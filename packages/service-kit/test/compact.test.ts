import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import Fastify from 'fastify'
import t from 'tap'
import { compact } from '../src/index.ts'

const app = Fastify()
const list = { rows: Array.from({ length: 500 }, (_, i) => ({ id: i })) }
app.get('/list', { onSend: compact }, async () => list)
app.get('/small', { onSend: compact }, async () => ({ a: 1 }))
app.get('/broken', { onSend: compact }, async (_request, reply) => reply.code(500).send({ a: 1 }))
t.teardown(() => app.close())

const get = (url: string, headers = {}) => app.inject({ url, headers })

t.test('a large response is compressed as the client accepts it', async t => {
  const plain = await get('/list')
  t.notOk(plain.headers['content-encoding'])
  for (const [accepted, encoding, decode] of [
    ['gzip', 'gzip', gunzipSync], ['gzip, deflate, br', 'br', brotliDecompressSync], ['*', 'br', brotliDecompressSync],
    ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync]
  ] as const) {
    const { headers, rawPayload } = await get('/list', { 'accept-encoding': accepted })
    t.equal(headers['content-encoding'], encoding, accepted)
    t.equal(decode(rawPayload).toString(), plain.body)
    t.ok(rawPayload.length < plain.rawPayload.length / 2)
    t.equal(headers['content-length'], String(rawPayload.length))
    t.match(headers.vary, 'accept-encoding')
  }
  for (const accepted of ['identity', 'deflate', 'gzip;q=0', '']) {
    t.notOk((await get('/list', { 'accept-encoding': accepted })).headers['content-encoding'], accepted)
  }
  t.notOk((await get('/small', { 'accept-encoding': 'gzip' })).headers['content-encoding'])
})

t.test('a client with the current version gets a 304', async t => {
  const { headers: { etag } } = await get('/list')
  const again = await get('/list', { 'if-none-match': `"x", ${String(etag)}`, 'accept-encoding': 'br' })
  t.match(again, { statusCode: 304, body: '', headers: { etag } })
  t.notOk(again.headers['content-length'] ?? again.headers['content-type'] ?? again.headers['content-encoding'])
  t.equal((await get('/list', { 'if-none-match': '"x"' })).statusCode, 200)
  t.equal((await get('/list', { 'if-none-match': String(etag).replace('W/', '') })).statusCode, 304, 'as a strong tag')
  const head = async (tag: string) =>
    await app.inject({ method: 'HEAD', url: '/list', headers: { 'if-none-match': tag, 'accept-encoding': 'br' } })
  t.match(await head(String(etag)), { statusCode: 304, body: '', headers: { etag, 'content-length': undefined } })
  t.match(await head('"x"'), {
    statusCode: 200, body: '', headers: { etag, 'content-length': String((await get('/list')).body.length) }
  })
})

t.test('an error stays as it is', async t => {
  t.notOk((await get('/broken', { 'if-none-match': '*' })).headers.etag)
})
