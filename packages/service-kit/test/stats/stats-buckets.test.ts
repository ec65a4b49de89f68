import t from 'tap'
import { statsOf } from '../../src/stats/stats-buckets.ts'

const range = { from: 100, to: 145, step: 10 }
const none = { failed: 0 }
const rows = [{ bucket: 3, counts: { failed: 2 } }, { bucket: null, counts: { failed: 9 } }]

t.test('every bucket is there, with its start', async t => {
  t.same(statsOf(range, { rows, none, oldest: undefined }), {
    ...range,
    total: { failed: 9 },
    buckets: [
      { from: 100, failed: 0 }, { from: 110, failed: 0 }, { from: 120, failed: 0 }, { from: 130, failed: 2 },
      { from: 140, failed: 0 }
    ]
  })
  t.same(statsOf(range, { rows: [], none, oldest: undefined }).total, none)
})

t.test('buckets of which nothing was read are left out', async t => {
  const starts = (oldest: number) => {
    const { buckets, isPartial, completeFrom } = statsOf(range, { rows, none, oldest })
    return [isPartial, completeFrom, buckets.map(({ from }) => from)]
  }
  t.same(starts(129), [true, 130, [120, 130, 140]])
  t.same(starts(130), [true, 131, [130, 140]])
  t.same(starts(90), [true, 101, [100, 110, 120, 130, 140]], 'read beyond the start')
})
