import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createScanQueue } from '../../src/read/scan-queue.ts'

const signal = new AbortController().signal

function setup () {
  const run = createScanQueue({ maxRunning: 2, max: 5, maxPerUser: 3 })
  const started: string[] = []
  const ends = new Map<string, () => void>()
  /** A scan that ends when the test lets it. */
  const scan = async (name: string, user = name, clientSignal = signal) => await run(user, clientSignal, async () => {
    started.push(name)
    await new Promise<void>(resolve => ends.set(name, resolve))
    return name
  })
  return { scan, started, end: (name: string) => ends.get(name)?.() }
}

t.test('a few scans run at a time, the others in the order of arrival', async t => {
  const { scan, started, end } = setup()
  const all = ['a', 'b', 'c', 'd'].map(name => scan(name))
  t.same(started, ['a', 'b'])
  end('b')
  await setImmediate()
  t.same(started, ['a', 'b', 'c'])
  end('a')
  await setImmediate()
  t.same(started, ['a', 'b', 'c', 'd'])
  end('c')
  end('d')
  t.same(await Promise.all(all), ['a', 'b', 'c', 'd'])
})

t.test('more of one user, or in all, are refused until others have ended', async t => {
  const { scan, end } = setup()
  const own = ['1', '2', '3'].map(name => scan(name, 'user'))
  await t.rejects(scan('4', 'user'), { statusCode: 429, code: 'TOO_MANY_SEARCHES' })
  const others = ['5', '6'].map(name => scan(name))
  await t.rejects(scan('7'), { statusCode: 503, code: 'TOO_MANY_SEARCHES' })
  for (const name of ['1', '2', '3', '5', '6']) {
    end(name)
    await setImmediate()
  }
  await Promise.all([...own, ...others])
  const again = scan('8', 'user')
  end('8')
  t.equal(await again, '8')
})

t.test('a scan whose client is gone does not start, and one that fails makes room', async t => {
  const { scan, started, end } = setup()
  const gone = new AbortController()
  const running = [scan('a'), scan('b')]
  const waiting = scan('c', 'c', gone.signal)
  const last = scan('d')
  gone.abort()
  end('a')
  await t.rejects(waiting, { message: 'The client is gone' })
  await setImmediate()
  t.same(started, ['a', 'b', 'd'])
  end('b')
  end('d')
  await Promise.all([...running, last])
  const run = createScanQueue({ maxRunning: 1, max: 1, maxPerUser: 1 })
  await t.rejects(run('a', signal, async () => { throw new Error('broken') }), { message: 'broken' })
  t.equal(await run('a', signal, async () => 1), 1)
})
