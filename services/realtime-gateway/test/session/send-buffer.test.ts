import t from 'tap'
import { Frame } from '../../src/session/frame.ts'
import { SendBuffer } from '../../src/session/send-buffer.ts'
import type { Transport } from '../../src/session/transport.ts'
import { until, type TestContext } from '@tidings/testing'

const frame = (name: string) => new Frame(name, '"x"')

/** A wire that takes two packets until it is drained. */
function setup (t: TestContext, { slowMs = 60_000, unsentBytes = 10_000 } = {}) {
  const sent: string[] = []
  let unsent = 0
  const wire: Transport = {
    kind: 'websocket',
    write: ({ event }) => { sent.push(event); unsent++ },
    unsentBytes: 0,
    get unsentPackets () { return unsent },
    close: () => {},
    terminate: () => {}
  }
  let spared = 0
  let slow = 0
  const outlet = new SendBuffer(wire, { unsentBytes, unsentPackets: 2, slowMs }, { progressDropped: () => { spared++ }, tooSlow: () => { slow++ } })
  t.teardown(() => outlet.close())
  return { outlet, sent, drain: () => { unsent = 0 }, fill: (count: number) => { unsent += count }, spared: () => spared, slow: () => slow }
}

t.test('what a full wire can\'t take waits, in order', async t => {
  const { outlet, sent, drain } = setup(t)
  for (const name of ['a', 'b', 'c', 'd', 'e']) outlet.write(frame(name))
  t.same(sent, ['a', 'b', 'c'])
  drain()
  await until(() => sent.length === 5)
  t.same(sent, ['a', 'b', 'c', 'd', 'e'])
})

t.test('while it waits, only the newest of a topic is kept, in its own place', async t => {
  const { outlet, sent, drain, spared } = setup(t)
  for (const name of ['a', 'b', 'c']) outlet.write(frame(name))
  outlet.write(frame('job 1 at 10'), 'job 1')
  outlet.write(frame('job 2 at 10'), 'job 2')
  outlet.write(frame('job 1 at 20'), 'job 1')
  outlet.write(frame('done'))
  drain()
  await until(() => sent.length >= 5)
  drain()
  await until(() => sent.length === 6)
  t.same(sent.slice(3), ['job 2 at 10', 'job 1 at 20', 'done'])
  t.equal(spared(), 1)
})

t.test('a wire that stays full for too long is slow', async t => {
  const { outlet, slow } = setup(t, { slowMs: 50 })
  for (const name of ['a', 'b', 'c', 'd']) outlet.write(frame(name))
  t.equal(slow(), 0)
  await until(slow)
})

t.test('a client for which too much waits is slow at once', async t => {
  const { outlet, slow } = setup(t, { unsentBytes: 500 })
  for (let i = 0; i < 10; i++) outlet.write(frame(String(i)))
  t.ok(slow() > 0)
})

t.test('who sends much paces itself, and gives up on a client that takes nothing', async t => {
  const { outlet, drain, slow } = setup(t, { slowMs: 50 })
  for (const name of ['a', 'b', 'c']) outlet.write(frame(name))
  t.ok(outlet.isFull)
  const drained = outlet.drained()
  drain()
  await drained
  t.equal(slow(), 0)
  for (const name of ['a', 'b', 'c']) outlet.write(frame(name))
  await outlet.drained()
  t.equal(slow(), 1)
})

t.test('what waits is weighed by what it takes to keep it: text beyond ASCII twice', async t => {
  const ascii = setup(t, { unsentBytes: 2000 })
  const wide = setup(t, { unsentBytes: 2000 })
  for (const name of ['a', 'b', 'c', 'd']) {
    ascii.outlet.write(new Frame(name, `"${'x'.repeat(1000)}"`))
    wide.outlet.write(new Frame(name, `"${'日'.repeat(1000)}"`))
  }
  t.equal(ascii.slow(), 0)
  t.equal(wide.slow(), 1)
})

t.test('what goes past it counts too: a wire that holds twice too much after the turn is slow', async t => {
  const { outlet, sent, fill, drain, slow } = setup(t)
  fill(5)
  outlet.checkAfterDirectWrite()
  drain()
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(slow(), 0, 'what only the turn had filled has left')
  fill(5)
  outlet.checkAfterDirectWrite()
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(slow(), 1)
  t.equal(sent.length, 0)
})
