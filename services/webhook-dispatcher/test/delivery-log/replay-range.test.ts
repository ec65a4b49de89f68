import t from 'tap'
import { replayRange } from '../../src/delivery-log/replay-range.ts'

const DAY_MS = 86_400_000
const RETENTION_MS = 14 * DAY_MS
const now = Date.UTC(2026, 5, 15)
const rangeOf = (since: string, until?: string) =>
  replayRange({ since, ...(until !== undefined && { until }) }, RETENTION_MS, now)
const before = (ms: number) => ({ ms: ms - 1, seq: Number.MAX_SAFE_INTEGER })

t.test('a replay since a time begins just before it, since an event just after it', async t => {
  t.same(rangeOf('2026-06-14T00:00:00Z'), { at: before(now - DAY_MS), until: undefined })
  t.same(rangeOf('2026-06-14T02:00:00+02:00').at, before(now - DAY_MS))
  t.same(rangeOf(`${now - DAY_MS}-5`).at, { ms: now - DAY_MS, seq: 5 })
  t.same(rangeOf('2026-06-01T00:00:00Z').at.ms, now - RETENTION_MS - 1, 'all of the 14 days')
  t.throws(() => rangeOf('2026-05-31T23:59:59Z'))
  t.throws(() => rangeOf('2026-06-15T00:00:01Z'))
})

t.test('a replay until a time ends just before it, until an event with it', async t => {
  const since = '2026-06-13T00:00:00Z'
  t.same(rangeOf(since, '2026-06-14T00:00:00Z').until, before(now - DAY_MS))
  t.same(rangeOf('2026-06-14T00:00:00Z').at, before(now - DAY_MS), 'where the next range begins')
  t.same(rangeOf(since, `${now - DAY_MS}-5`).until, { ms: now - DAY_MS, seq: 5 })
  t.ok(rangeOf(since, '2040-01-01T00:00:00Z').until, 'in the future')
  t.throws(() => rangeOf(since, since), { errors: [{ path: 'body.until', message: 'must be after since' }] })
  t.throws(() => rangeOf(`${now}-5`, `${now}-4`))
})
