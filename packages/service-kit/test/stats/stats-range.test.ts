import t from 'tap'
import { statsRangeOf } from '../../src/stats/stats-range.ts'

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
  t.match(statsRangeOf({ to: 5 }, now), { from: 5 - DAY, to: 5 })
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
    statusCode: 400, errors: [{ path: 'querystring.step', message: /at least 432s: .* 200 buckets at most/ }]
  })
  t.match(statsRangeOf({ from: 0, to: DAY, step: '432s' }, now), { step: 432_000 })
  const empty = [{ from: now }, { from: 5, to: 5 }, { from: 6, to: 5 }, { from: '2022-01-02', to: '2022-01-01' }]
  for (const query of empty) {
    t.throws(() => statsRangeOf(query, now), { statusCode: 400, errors: [{ path: 'querystring.from' }] })
  }
})

t.test('times are milliseconds, ISO 8601 or the id of an event; steps are durations or milliseconds', async t => {
  for (const from of [1_640_995_200_000, '1640995200000', '2022-01-01', '2022-01-01T00:00:00Z', '1640995200000-7',
    '2022-01-01T01:00:00 01:00', '2021-12-31T23:00:00.000-01:00']) {
    for (const step of [1_800_000, '1800000', '1800s', '30m']) {
      t.same(statsRangeOf({ from, to: '2022-01-01T02:00:00Z', step }, now), {
        from: 1_640_995_200_000, to: 1_640_995_200_000 + 2 * HOUR, step: HOUR / 2
      }, `${from} ${step}`)
    }
  }
  t.match(['6h', '2d'].map(step => statsRangeOf({ step }, now).step), [6 * HOUR, 2 * DAY])
})

t.test('another form of a time or a step is refused with its path', async t => {
  for (const [name, texts] of Object.entries({
    from: ['yesterday', '-1', '1.5', '2022-1-1', '2022-13-01', '2022-01-01T00:00:00', '1e3', ' ', '1'.repeat(16)],
    to: ['now'],
    step: ['0', '0s', '-1', '1.5h', '15 m', '1w', '1e3', '5ms', '1'.repeat(14)]
  })) {
    for (const text of texts) {
      t.throws(() => statsRangeOf({ [name]: text }, now), {
        statusCode: 400, errors: [{ path: `querystring.${name}`, message: /^must be / }]
      }, text)
    }
  }
})
