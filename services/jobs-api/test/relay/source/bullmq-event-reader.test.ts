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

t.test('a read returns at most so many entries', async t => {
  await add(...Array.from({ length: 50 }, () => 10))
  const read = reader({ count: 20 })
  const reads = [await read('0-0')]
  while (!reads.at(-1)?.isEnd) reads.push(await read(reads.at(-1)?.entries.at(-1)?.[0] as string))
  t.same(reads.map(({ entries, entriesAdded, length }) => [entries.length, entriesAdded, length]), [
    [20, 50, 50], [20, 50, 50], [10, 50, 50]
  ])
})

t.test('a read returns at most so many bytes, but at least one entry', async t => {
  await add(100, 100, 100, 5000, 100)
  const read = reader({ bytes: 250 })
  const sizes: number[][] = []
  let after = '0-0'
  for (let isEnd = false; !isEnd;) {
    const page = await read(after)
    sizes.push(page.entries.map(([, [, text = '']]) => text.length))
    after = page.entries.at(-1)?.[0] as string
    isEnd = page.isEnd
  }
  t.same(sizes, [[100, 100], [100], [5000], [100]])
})

t.test('a blocking read returns as soon as there is an entry', async t => {
  const read = reader()
  const reading = read('0-0', true)
  await until(async () => /cmd=xread/.test(await client.client('LIST') as string))
  await add(10)
  t.equal((await reading).entries.length, 1)
})

t.test('a page does not end between a removal and the entry that names the successor', async t => {
  const xadd = async (event: string) => await client.xadd(KEY, '*', 'event', event, 'jobId', '1')
  for (const event of [
    'removed', 'deduplicated', 'removed', 'debounced', 'deduplicated', 'removed', 'removed', 'added', 'removed'
  ]) {
    await xadd(event)
  }
  const read = reader({ count: 1 })
  const pages: string[][] = []
  let after = '0-0'
  for (let isEnd = false; !isEnd;) {
    const page = await read(after)
    pages.push(page.entries.map(([, [, event = '']]) => event))
    after = page.entries.at(-1)?.[0] as string
    isEnd = page.isEnd
  }
  t.same(pages, [
    ['removed', 'deduplicated'], ['removed', 'debounced', 'deduplicated'], ['removed'], ['removed'], ['added'],
    ['removed']
  ])
})
