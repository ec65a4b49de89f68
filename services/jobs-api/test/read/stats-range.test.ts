import t from 'tap'
import { statsRangeOf } from '../../src/read/stats-range.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const now = 1_640_995_200_000 + 7 * 60_000

t.test('by default the last 24 hours, up to the end of the bucket of now', async t => {
  const range = statsRangeOf({}, now)
  t.same(range, { from: 1_640_995_200_000 + 900_000 - DAY, to: 1_640_995_200_000 + 900_000, step: 900_000 })
  t.same(statsRangeOf({}, now + 60_000), range, 'the same buckets a minute later')
  t.same(statsRangeOf({ step: HOUR }, now), {
    from: 1_640_995_200_000 + HOUR - DAY, to: 1_640_995_200_000 + HOUR, step: HOUR
  })
})

t.test('times that are named are kept as they are, and the other one is 24 hours away, or now', async t => {
  t.match(statsRangeOf({ to: now - 1 }, now), { from: now - 1 - DAY, to: now - 1 })
  t.match(statsRangeOf({ from: now - 1 }, now), { from: now - 1, to: now, step: 1000 })
  t.match(statsRangeOf({ to: 5 }, now), { from: 0, to: 5 })
  t.match(statsRangeOf({ from: 0 }, now), { from: 0, to: now })
})

t.test('the default step gives 100 buckets or fewer', async t => {
  for (const length of [1, 1000, 99_999, HOUR, DAY, 30 * DAY, 365 * DAY, 54 * 365 * DAY]) {
    const { step } = statsRangeOf({ from: 0, to: length }, now)
    t.ok(length / step <= 100, `${length} ms by ${step}`)
  }
})

t.test('a range with more than 200 buckets is refused with the smallest step', async t => {
  t.throws(() => statsRangeOf({ from: 0, to: DAY, step: 1000 }, now), {
    statusCode: 400, errors: [{ path: 'querystring.step', message: /at least 432000/ }]
  })
  t.match(statsRangeOf({ from: 0, to: DAY, step: 432_000 }, now), { step: 432_000 })
  for (const query of [{ from: now }, { from: 5, to: 5 }, { from: 6, to: 5 }, { to: 0 }]) {
    t.throws(() => statsRangeOf(query, now), { statusCode: 400, errors: [{ path: 'querystring.from' }] })
  }
})
