import { Server } from 'socket.io'
import t from 'tap'
import { Frame } from '../../src/session/frame.ts'

/** The packet type of an event without binary data. */
const EVENT = 2
const awkward = { text: 'ü \u2028 "quoted" \n', list: [1, null, { a: [] }], number: 1e21 }

t.test('a packet equals the encoding of Socket.IO itself', async t => {
  const { encoder } = new Server()
  for (const event of ['job:progress', 'job:a"b\n:progress', 'session']) {
    const frame = new Frame(event, JSON.stringify(awkward))
    t.same([frame.packet], encoder.encode({ type: EVENT, nsp: '/', data: [event, awkward] }))
  }
})

t.test('a text and a block carry the same payload', async t => {
  const frame = new Frame('job:progress', JSON.stringify(awkward), '5-1')
  t.same(JSON.parse(frame.text.toString()), { event: 'job:progress', data: awkward })
  const lines = frame.block.toString().split('\n')
  t.same(lines.slice(0, 2), ['id: 5-1', 'event: job:progress'])
  t.same(JSON.parse(lines[2]?.slice('data: '.length) ?? ''), awkward)
  t.same(lines.slice(3), ['', ''])
})

t.test('a bare frame has the same content, and no encodings of the first', async t => {
  const frame = new Frame('job:progress', JSON.stringify(awkward), '5-1')
  const encodings = [frame.text, frame.block]
  const bare = frame.bare()
  t.same([bare.event, bare.json, bare.eventId], [frame.event, frame.json, frame.eventId])
  t.same([bare.text, bare.block], encodings)
  t.not(bare.text, frame.text)
})

t.test('a packet of a WebSocket has the same payload behind its header, encoded once', async t => {
  const frame = new Frame('job:progress', JSON.stringify(awkward))
  const payload = Buffer.from(`4${frame.packet}`)
  const [bytes] = frame.webSocketPacket
  t.same(bytes.subarray(-payload.length), payload)
  t.equal(bytes.length, payload.length + 2)
  t.equal(frame.webSocketPacket, frame.webSocketPacket)
})
