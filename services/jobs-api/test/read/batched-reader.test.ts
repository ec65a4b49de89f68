import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { batchedReader } from '../../src/read/batched-reader.ts'

const squares = async (keys: number[]) => keys.map(key => key === 0 ? undefined : key * key)

t.test('the reads of one tick are sent together, and each gets its own row', async t => {
  const batches: number[][] = []
  const read = batchedReader<number, number>({
    readMany: async keys => { batches.push(keys); return await squares(keys) }, isShared: () => false, timeoutMs: 5000
  })
  t.same(await Promise.all([read(3), read(0), read(5)]), [9, undefined, 25])
  t.same(await read(7), 49)
  t.same(batches, [[3, 0, 5], [7]])
})

t.test('a crowd is split, in order of arrival', async t => {
  const batches: number[][] = []
  const read = batchedReader<number, number>({
    readMany: async keys => { batches.push(keys); return await squares(keys) }, isShared: () => false, timeoutMs: 5000
  })
  const keys = Array.from({ length: 250 }, (_, i) => i + 1)
  t.same(await Promise.all(keys.map(read)), await squares(keys))
  t.same(batches.map(batch => batch.length), [100, 100, 50])
  t.same(batches.flat(), keys)
})

t.test('a key that makes the statement fail fails alone', async t => {
  const read = batchedReader<number, number>({
    readMany: async keys => {
      if (keys.includes(13)) throw new Error('unlucky')
      return await squares(keys)
    },
    isShared: () => false,
    timeoutMs: 5000
  })
  const [a, b, c] = await Promise.allSettled([read(1), read(13), read(2)])
  t.match([a, c], [{ value: 1 }, { value: 4 }])
  t.match(b, { status: 'rejected', reason: { message: 'unlucky' } })
})

t.test('an error of the whole statement is not retried key by key', async t => {
  let asked = 0
  const read = batchedReader<number, number>({
    readMany: async () => { asked++; throw new Error('away') }, isShared: () => true, timeoutMs: 5000
  })
  const outcomes = await Promise.allSettled([read(1), read(2)])
  t.ok(outcomes.every(({ status }) => status === 'rejected'))
  t.equal(asked, 1)
})

t.test('a statement without an answer fails in time, with all reads behind it; the next one is sent', async t => {
  const asked: number[][] = []
  const read = batchedReader<number, number>({
    readMany: async keys => {
      asked.push(keys)
      return keys.includes(0) ? await new Promise<never>(() => {}) : await squares(keys)
    },
    isShared: () => false,
    timeoutMs: 20
  })
  const first = read(0)
  await setImmediate()
  const second = read(2)
  const failed = { status: 'rejected', reason: { statusCode: 503 } }
  t.match(await Promise.allSettled([first, second]), [failed, failed])
  t.equal(await read(3), 9)
  t.same(asked, [[0], [3]])
})
