import t from 'tap'
import { createFrameReader, textFrame } from '../../../src/load/sockets/frames.ts'

/** A frame of a server, which is not masked. */
function serverFrame (text: string, opcode = 0x1): Buffer {
  const payload = Buffer.from(text)
  if (payload.length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload])
  if (payload.length < 65_536) {
    return Buffer.concat([Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff]), payload])
  }
  const head = Buffer.alloc(10)
  head[0] = 0x80 | opcode
  head[1] = 127
  head.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([head, payload])
}

function setup () {
  const texts: string[] = []
  const replies: Buffer[] = []
  let closed = 0
  const read = createFrameReader({
    onText: (bytes, start, end) => texts.push(bytes.toString('utf8', start, end)),
    onClose: () => { closed++ },
    reply: frame => replies.push(frame)
  })
  return { read, texts, replies, closed: () => closed }
}

t.test('reads frames of every length, however the chunks are cut', async t => {
  const messages = ['', 'short', 'm'.repeat(126), 'l'.repeat(65_535), 'x'.repeat(70_000), 'last']
  const bytes = Buffer.concat(messages.map(text => serverFrame(text)))
  for (const size of [997, 65_000, bytes.length]) {
    const { read, texts } = setup()
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size))
    t.same(texts, messages, `in chunks of ${size}`)
  }
})

t.test('reads a header that arrives byte by byte', async t => {
  const { read, texts } = setup()
  for (const byte of serverFrame('m'.repeat(126))) read(Buffer.from([byte]))
  t.same(texts, ['m'.repeat(126)])
})

t.test('answers a ping and reports a close', async t => {
  const { read, texts, replies, closed } = setup()
  read(Buffer.concat([serverFrame('', 0x9), serverFrame('', 0x8), serverFrame('after')]))
  t.equal(replies.length, 1)
  t.equal(closed(), 1)
  t.same(texts, ['after'])
})

t.test('masks the frame of a client with zeroes', async t => {
  const short = textFrame('3')
  t.same([...short], [0x81, 0x81, 0, 0, 0, 0, 0x33])
  const long = textFrame('a'.repeat(300))
  t.same([...long.subarray(0, 4)], [0x81, 0x80 | 126, 1, 44])
  t.equal(long.toString('latin1', 8), 'a'.repeat(300))
})
