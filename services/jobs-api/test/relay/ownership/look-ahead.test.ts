import t from 'tap'
import { startRedis } from '@tidings/testing'
import { createLookAhead } from '../../../src/relay/ownership/look-ahead.ts'

const KEY = 'bull:q:events'
const client = (await startRedis(t)).client()
t.beforeEach(async () => await client.del(KEY))

const add = async (event: string, jobId: string) => await client.xadd(
  KEY, '*', 'event', event, 'jobId', jobId
) as string

t.test('finds the jobs that start after an entry, and continues from there', async t => {
  const first = await add('added', 'a')
  await add('waiting', 'a')
  const { startsAfter } = createLookAhead(client, KEY)
  const second = await add('added', 'b')
  const third = await add('added', 'c')

  const behindFirst = await startsAfter(first, second)
  t.same(['a', 'b', 'c'].map(id => behindFirst?.(id)), [false, true, false], 'up to the given entry')
  const behindSecond = await startsAfter(second, third)
  t.same(['a', 'b', 'c'].map(id => behindSecond?.(id)), [false, false, true])
  t.equal((await startsAfter(third, third))?.('c'), false)
})

t.test('returns undefined if entries may be missing', async t => {
  const first = await add('added', 'a')
  const second = await add('added', 'b')
  await client.xtrim(KEY, 'MAXLEN', '=', 1)
  const { startsAfter } = createLookAhead(client, KEY)
  t.equal(await startsAfter(first, second), undefined)
  t.equal(await startsAfter('0-0', second), undefined, 'nor from the very start')
  const third = await add('added', 'c')
  t.equal((await startsAfter(second, third))?.('c'), true, 'but works again after the gap')
})

t.test('throws if there is more than one call may scan, and continues with the next call', async t => {
  const first = await add('added', 'a')
  const pipeline = client.pipeline()
  for (let i = 0; i < 60_000; i++) pipeline.xadd(KEY, '*', 'event', 'progress', 'jobId', 'a')
  await pipeline.exec()
  const last = await add('added', 'b')
  const { startsAfter } = createLookAhead(client, KEY)
  await t.rejects(startsAfter(first, last))
  t.equal((await startsAfter(first, last))?.('b'), true)
})
