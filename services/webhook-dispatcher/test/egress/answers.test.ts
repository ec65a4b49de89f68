import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { startReceiver } from '@tidings/testing'
import t from 'tap'
import { attempter } from './attempter.ts'
import { drip, onRequest, rawServer } from './raw-server.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const HEAD = `${OK}content-length: 100\r\n\r\n`

const decided: Record<string, (socket: import('node:net').Socket) => void> = {
  'stops after the status line': socket => { socket.write(OK) },
  'drips headers': socket => { socket.write(OK); drip(socket, 'x-more: 1\r\n') },
  'has headers without end': socket => { socket.write(`${OK}${'x-more: 0123456789\r\n'.repeat(5000)}\r\n`) },
  'has a malformed header': socket => { socket.end(`${OK}bad header\r\n\r\n`) },
  'is reset after the status line': socket => { socket.write(OK, () => socket.resetAndDestroy()) },
  'stops after the headers': socket => { socket.write(HEAD) },
  'drips the body': socket => { socket.write(HEAD); drip(socket, '.') },
  'is reset within the body': socket => { socket.write(`${HEAD}half`, () => socket.resetAndDestroy()) },
  'is closed within the body': socket => { socket.end(`${HEAD}half`) },
  'has a body that is longer than it says': socket => { socket.end(`${OK}content-length: 1\r\n\r\nlonger`) },
  'has a chunk that is none': socket => { socket.end(`${OK}transfer-encoding: chunked\r\n\r\nzz\r\n`) },
  'has two lengths': socket => { socket.end(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`) },
  'follows an interim answer that nobody asked for': socket => {
    socket.end(
    `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 0\r\n\r\n`
    )
  },
  'follows several, in pieces': socket => {
    const text = `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}content-length: 0\r\n\r\n`
    const pieces = text.match(/[^]{1,7}/g) ?? []
    const timer = setInterval(() => {
      const piece = pieces.shift()
      if (piece === undefined) clearInterval(timer)
      else socket.write(piece)
    }, 1)
  }
}

for (const [name, answer] of Object.entries(decided)) {
  t.test(`an answer of 200 that ${name} is a success`, { buffered: true }, async t => {
    let requests = 0
    const port = await rawServer(t, onRequest(socket => {
      requests++
      answer(socket)
    }))
    t.match(
      await attempter(t)(`http://127.0.0.1:${port}/`, { timeoutMs: 30_000 }),
      { ok: true, status: 200, errorClass: undefined, message: undefined }
    )
    t.equal(requests, 1)
  })
}

t.test('and one of 503 is a failure, however it ends', async t => {
  const port = await rawServer(t, onRequest(
    socket => { socket.end('HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 10\r\n\r\nhalf') }
  ))
  t.match(await attempter(t)(`http://127.0.0.1:${port}/`), {
    ok: false, status: 503, errorClass: 'http-5xx', message: 'Answered 503', retryAfterMs: 7000, responseBody: 'half'
  })
})

t.test('an answer that comes before the whole request was sent counts', async t => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'x')
  for (const end of ['end', 'destroy'] as const) {
    const port = await rawServer(t, socket => {
      socket.once('data', () => {
        socket.pause()
        socket.write(`${OK}connection: close\r\ncontent-length: 0\r\n\r\n`, () => { socket[end]() })
      })
    })
    t.match(await attempter(t)(`http://127.0.0.1:${port}/`, { body }), { ok: true, status: 200 }, end)
  }
})

t.test('bodies are shown as text, whatever their encoding', async t => {
  const text = 'Grüße, 你好'
  const encoded: Record<string, Buffer> = {
    gzip: gzipSync(text),
    'x-gzip': gzipSync(text),
    br: brotliCompressSync(text),
    deflate: deflateSync(text),
    zstd: zstdCompressSync(text),
    identity: Buffer.from(text),
    unknown: Buffer.from(text)
  }
  const receiver = await startReceiver(t, ({ url }, response) => {
    const encoding = url.slice(1)
    response.writeHead(
      200, { 'content-encoding': encoding === 'raw' ? 'deflate' : encoding }
    ).end(encoding === 'raw' ? deflateRawSync(text) : encoded[encoding])
  })
  const attempt = attempter(t)
  for (const encoding of [...Object.keys(encoded), 'raw']) t.equal((await attempt(`${receiver.url}/${encoding}`)).responseBody, text, encoding)
  t.same([...new Set(receiver.requests.map(({ headers }) => headers['accept-encoding']))], [undefined])
})

t.test('a small body that is a large one is decoded up to 16 KiB, a broken one not at all', async t => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 'x'))
  const bodies = [bomb.subarray(0, 60_000), gzipSync('x'.repeat(100)).subarray(0, 20), Buffer.from('no gzip')]
  const receiver = await startReceiver(
    t, (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(bodies.shift()) }
  )
  const attempt = attempter(t)
  const long = await attempt(receiver.url)
  t.same([long.ok, long.responseBody], [true, 'x'.repeat(16_384)])
  t.match(
    await attempt(receiver.url), { ok: true, responseBody: /^(x+|\(20 bytes of gzip that could not be decoded\))$/ }
  )
  t.match(await attempt(receiver.url), { ok: true, responseBody: '(7 bytes of gzip that could not be decoded)' })
})

t.test('other charsets are decoded, and what is cut or no text at all is well-formed', async t => {
  const bodies: [string, Buffer, string][] = [
    ['text/plain; charset=iso-8859-1', Buffer.from('Grüße', 'latin1'), 'Grüße'],
    ['text/plain; charset="utf-16le"', Buffer.from('Grüße\ud800', 'utf16le'), 'Grüße'],
    ['text/html;charset=Shift_JIS', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), '日本'],
    ['text/plain; charset=klingon', Buffer.from('Grüße'), 'Grüße'],
    ['application/octet-stream', Buffer.from([0xff, 0x00, 0x41]), '\ufffd\ufffdA'],
    ['text/plain', Buffer.from(`x${'ü'.repeat(10_000)}`), `x${'ü'.repeat(8191)}`]
  ]
  const sent = [...bodies]
  const receiver = await startReceiver(t, (_request, response) => {
    const [contentType, body] = sent.shift() as [string, Buffer, string]
    response.writeHead(200, { 'content-type': contentType }).end(body)
  })
  const attempt = attempter(t)
  for (const [contentType, , text] of bodies) {
    const { responseBody = '' } = await attempt(receiver.url)
    t.ok(responseBody.isWellFormed(), contentType)
    t.equal(responseBody.replace(/\ufffd$/, ''), text.replace(/\ufffd$/, ''), contentType)
  }
})
