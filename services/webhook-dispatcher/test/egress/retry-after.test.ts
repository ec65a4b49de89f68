import t from 'tap'
import { retryAfterMs } from '../../src/egress/retry-after.ts'

const now = Date.UTC(2026, 0, 1, 12, 0, 0)

t.test('seconds and HTTP dates count from now', async t => {
  t.equal(retryAfterMs('120', { now }), 120_000)
  t.equal(retryAfterMs(' 0 ', { now }), 0)
  t.equal(retryAfterMs('Thu, 01 Jan 2026 12:01:30 GMT', { now }), 90_000)
  t.equal(retryAfterMs('Thursday, 01-Jan-26 12:01:30 GMT', { now }), 90_000)
  t.equal(retryAfterMs(['3', '4'], { now }), 3000)
})

t.test('a date that has passed is now', async t => {
  t.equal(retryAfterMs('Thu, 01 Jan 2025 12:00:00 GMT', { now }), 0)
})

t.test('a date counts from the time of day that the server itself names', async t => {
  const date = 'Thu, 01 Jan 2026 13:00:00 GMT'
  t.equal(retryAfterMs('Thu, 01 Jan 2026 13:01:30 GMT', { date, now }), 90_000, 'its clock is an hour ahead')
  t.equal(retryAfterMs('Thu, 01 Jan 2026 12:01:30 GMT', { date: 'not a date', now }), 90_000)
})

t.test('a value that is neither is ignored', async t => {
  for (const header of [
    undefined, '', 'soon', '-1', '1.5', '1e9', '99999999999999', 'Someday, maybe', 'Thu Jan  1 12:01:30 2026'
  ]) {
    t.equal(retryAfterMs(header, { now }), undefined, String(header))
  }
})
