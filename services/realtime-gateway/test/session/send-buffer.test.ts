import t from 'tap'
import { Frame } from '../../src/session/frame.ts'
import { SendBuffer } from '../../src/session/send-buffer.ts'
import type { Transport } from '../../src/session/transport.ts'
import { until, type TestContext } from '@tidings/testing'

const frame = (name: string) => new Frame(name, '"x"')

/** A transport that takes two packets until it is drained. */
function setup (t: TestContext, { slowMs = 60_000, unsentBytes = 10_000 } = {}) {
  const sent: string[] = []
  let unsent = 0
  const transport: Transport = {
    kind: 'websocket',
    write: ({ event }) => { sent.push(event); unsent++ },
    unsentBytes: 0,
    get unsentPackets () { return unsent },
    close: () => {},
    terminate: () => {}
  }
  let dropped = 0
  let slow = 0
  const buffer = new SendBuffer(
    transport,
    { unsentBytes, unsentPackets: 2, slowMs },
    { progressDropped: () => { dropped++ }, tooSlow: () => { slow++ } }
  )
  t.teardown(() => buffer.close())
  return {
    buffer,
    sent,
    drain: () => { unsent = 0 },
    fill: (count: number) => { unsent += count },
    dropped: () => dropped,
    slow: () => slow
  }
}

t.test('frames that a full transport cannot take wait, in order', async t => {
  const { buffer, sent, drain } = setup(t)
  for (const name of ['a', 'b', 'c', 'd', 'e']) buffer.write(frame(name))
  t.same(sent, ['a', 'b', 'c'])
  drain()
  await until(() => sent.length === 5)
  t.same(sent, ['a', 'b', 'c', 'd', 'e'])
})

t.test('of waiting frames only the newest of a topic is kept, in its own place', async t => {
  const { buffer, sent, drain, dropped } = setup(t)
  for (const name of ['a', 'b', 'c']) buffer.write(frame(name))
  buffer.write(frame('job 1 at 10'), 'job 1')
  buffer.write(frame('job 2 at 10'), 'job 2')
  buffer.write(frame('job 1 at 20'), 'job 1')
  buffer.write(frame('done'))
  drain()
  await until(() => sent.length >= 5)
  drain()
  await until(() => sent.length === 6)
  t.same(sent.slice(3), ['job 2 at 10', 'job 1 at 20', 'done'])
  t.equal(dropped(), 1)
})

t.test('a transport that stays full for too long is slow', async t => {
  const { buffer, slow } = setup(t, { slowMs: 50 })
  for (const name of ['a', 'b', 'c', 'd']) buffer.write(frame(name))
  t.equal(slow(), 0)
  await until(slow)
})

t.test('a client with too many waiting bytes is slow at once', async t => {
  const { buffer, slow } = setup(t, { unsentBytes: 500 })
  for (let i = 0; i < 10; i++) buffer.write(frame(String(i)))
  t.ok(slow() > 0)
})

t.test('a sender of many frames paces itself, and gives up on a client that reads nothing', async t => {
  const { buffer, drain, slow } = setup(t, { slowMs: 50 })
  for (const name of ['a', 'b', 'c']) buffer.write(frame(name))
  t.ok(buffer.isFull)
  const drained = buffer.drained()
  drain()
  await drained
  t.equal(slow(), 0)
  for (const name of ['a', 'b', 'c']) buffer.write(frame(name))
  await buffer.drained()
  t.equal(slow(), 1)
})

t.test('waiting frames count with the memory they take: text beyond ASCII twice', async t => {
  const ascii = setup(t, { unsentBytes: 2000 })
  const wide = setup(t, { unsentBytes: 2000 })
  for (const name of ['a', 'b', 'c', 'd']) {
    ascii.buffer.write(new Frame(name, `"${'x'.repeat(1000)}"`))
    wide.buffer.write(new Frame(name, `"${'日'.repeat(1000)}"`))
  }
  t.equal(ascii.slow(), 0)
  t.equal(wide.slow(), 1)
})

t.test('direct writes count too: a transport above twice the limit after the tick is slow', async t => {
  const { buffer, sent, fill, drain, slow } = setup(t)
  fill(5)
  buffer.checkAfterDirectWrite()
  drain()
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(slow(), 0, 'packets of this tick alone have left')
  fill(5)
  buffer.checkAfterDirectWrite()
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(slow(), 1)
  t.equal(sent.length, 0)
})
