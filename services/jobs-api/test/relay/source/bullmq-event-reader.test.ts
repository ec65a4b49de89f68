import t from 'tap'
import Fastify from 'fastify'
import { startRedis, until } from '@tidings/testing'
import { openEventReader } from '../../../src/relay/source/bullmq-event-reader.ts'

const KEY = 'bull:q:events'
const redis = await startRedis(t)
const client = redis.client()
t.beforeEach(async () => await client.del(KEY))

function reader ({ count = 200, bytes = 1_000_000 } = {}) {
  const one = openEventReader({ redis: client, key: KEY, count, bytes, log: Fastify().log })
  t.teardown(one.close)
  return async (after: string, wait = false) => await one.read(after, { wait })
}

const add = async (...sizes: number[]) => {
  for (const size of sizes) await client.xadd(KEY, '*', 'event', 'x'.repeat(size))
}

t.test('a read takes so many entries at most', async t => {
  await add(...Array.from({ length: 50 }, () => 10))
  const read = reader({ count: 20 })
  const looks = [await read('0-0')]
  while (!looks.at(-1)?.isEnd) looks.push(await read(looks.at(-1)?.entries.at(-1)?.[0] as string))
  t.same(looks.map(({ entries, entriesAdded, length }) => [entries.length, entriesAdded, length]), [[20, 50, 50], [20, 50, 50], [10, 50, 50]])
})

t.test('and so many bytes, but one entry in any case', async t => {
  await add(100, 100, 100, 5000, 100)
  const read = reader({ bytes: 250 })
  const sizes: number[][] = []
  let after = '0-0'
  for (let isEnd = false; !isEnd;) {
    const look = await read(after)
    sizes.push(look.entries.map(([, [, text = '']]) => text.length))
    after = look.entries.at(-1)?.[0] as string
    isEnd = look.isEnd
  }
  t.same(sizes, [[100, 100], [100], [5000], [100]])
})

t.test('one that waits is answered as soon as there is something', async t => {
  const read = reader()
  const held = read('0-0', true)
  await until(async () => /cmd=xread/.test(await client.client('LIST') as string))
  await add(10)
  t.equal((await held).entries.length, 1)
})

t.test('a page does not end between a removal and the entry that names the successor', async t => {
  const xadd = async (event: string) => await client.xadd(KEY, '*', 'event', event, 'jobId', '1')
  for (const event of ['removed', 'deduplicated', 'removed', 'debounced', 'deduplicated', 'removed', 'removed', 'added', 'removed']) await xadd(event)
  const read = reader({ count: 1 })
  const pages: string[][] = []
  let after = '0-0'
  for (let isEnd = false; !isEnd;) {
    const look = await read(after)
    pages.push(look.entries.map(([, [, event = '']]) => event))
    after = look.entries.at(-1)?.[0] as string
    isEnd = look.isEnd
  }
  t.same(pages, [['removed', 'deduplicated'], ['removed', 'debounced', 'deduplicated'], ['removed'], ['removed'], ['added'], ['removed']])
})
