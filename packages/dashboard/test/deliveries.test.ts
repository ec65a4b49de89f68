import t from 'tap'
import type { DeliveryList, DeliverySummary } from 'tidings'
import { alignBodies, alignHeaders } from '../src/deliveries/align.ts'
import { formatFilters, parseFilters, queryOf, searched } from '../src/deliveries/filters.ts'
import { mergeNewest } from '../src/deliveries/merge-newest.ts'
import { untilNextAttempt } from '../src/deliveries/until-next-attempt.ts'
import { positionBefore } from '../src/lib/event-id.ts'
import { formatInput, parseInput } from '../src/webhooks/time-input.ts'

const NONE = parseFilters(new URLSearchParams())
const row = (id: number, status = 'delivered') => ({ id, status }) as DeliverySummary
const page = (ids: number[], next: string | null = null): DeliveryList =>
  ({ deliveries: ids.map(id => row(id)), pagination: { limit: 100, next } })
const idsOf = (pages: DeliveryList[] | undefined) => pages?.map(({ deliveries }) => deliveries.map(({ id }) => id))

t.test('filters survive the address, and what is none is left out', async t => {
  const text = 'status=failed%2Cclosed&jobId=a%2Fb&webhookId=3&last=24h'
  t.equal(formatFilters(parseFilters(new URLSearchParams(text))).toString(), text)
  t.same(parseFilters(new URLSearchParams('webhookId=x&originId=-1&last=toString&other=1')), NONE)
})

t.test('a span ends now, and takes the place of other times', async t => {
  const now = Date.parse('2026-11-28T12:00:30Z')
  const filters = parseFilters(new URLSearchParams('last=1h&to=2020-01-01&status=failed,closed'))
  t.same(queryOf(filters, now), { status: 'failed,closed', from: '2026-11-28T11:00:00.000Z' })
})

t.test('what looks like the id of an event is one, all else is the id of a job', async t => {
  t.match(searched(NONE, ' 1640995300000-0 '), { eventId: '1640995300000-0' })
  t.match(searched({ ...NONE, eventId: '1640995300000-0' }, '42'), { jobId: '42', eventId: undefined })
  t.same(searched({ ...NONE, jobId: '42' }, ''), NONE)
})

t.test('the newest page changes rows in place, adds new ones, and removes those that match no longer', async t => {
  const known = [page([5, 4, 3], '3'), page([2, 1])]
  t.same(idsOf(mergeNewest(known, page([7, 6, 5, 3], '3'))), [[7, 6, 5, 3], [2, 1]])
  const merged = mergeNewest(known, { ...page([5, 3], '3'), deliveries: [row(5, 'failed'), row(4), row(3)] })
  t.equal(merged?.[0]?.deliveries[0]?.status, 'failed')
  t.equal(merged?.[0]?.deliveries[1], known[0]?.deliveries[1], 'a row that did not change is the same object')
  t.same(idsOf(mergeNewest(known, page([5]))), [[5], []], 'the whole list is one page')
  t.equal(mergeNewest(known, page([20, 19], '19')), undefined, 'rows may lie between')
  t.same(idsOf(mergeNewest([page([])], page([1]))), [[1]])
})

t.test('deliveries are asked for again when an attempt is due, at the latest after half a minute', async t => {
  const now = Date.parse('2026-11-28T12:00:00Z')
  const pending = (nextAttemptAt: string | null) => ({ status: 'pending', nextAttemptAt }) as const
  t.equal(untilNextAttempt([{ status: 'delivered', nextAttemptAt: null }], now), undefined, 'none is pending')
  t.equal(untilNextAttempt([pending('2026-11-28T12:00:10Z'), pending('2026-11-28T13:00:00Z')], now), 10_000)
  t.equal(untilNextAttempt([pending('2026-11-28T11:59:00Z')], now), 1500, 'one is due')
  t.equal(untilNextAttempt([pending(null)], now), 30_000, 'its webhook is not active')
})

t.test('the position before an event comes before it and after all others', async t => {
  t.equal(positionBefore('1640995300000-3'), '1640995300000-2')
  t.equal(positionBefore('1640995300000-0'), '1640995299999-999999999')
})

t.test('two bodies are compared by line, JSON with an indentation', async t => {
  t.strictSame(alignBodies('{"a":1,"b":2}', '{"a":1,"b":3,"c":4}'), [
    { left: '{', right: '{' },
    { left: '  "a": 1,', right: '  "a": 1,' },
    { left: '  "b": 2', right: '  "b": 3,' },
    { left: undefined, right: '  "c": 4' },
    { left: '}', right: '}' }
  ])
  t.strictSame(alignBodies(null, 'busy\r\nwait'), [
    { left: undefined, right: 'busy' }, { left: undefined, right: 'wait' }
  ])
  t.strictSame(alignBodies('', null), [])
  t.strictSame(alignHeaders({ b: '1' }, { a: '2', b: '1' }), [
    { name: 'a', values: [undefined, '2'] }, { name: 'b', values: ['1', '1'] }
  ])
})

t.test('fields for times read what they are filled with, in both zones', async t => {
  const ms = Date.parse('2026-11-28T10:41:00Z')
  t.equal(formatInput(ms, 'utc'), '2026-11-28T10:41')
  for (const zone of ['utc', 'local'] as const) {
    t.equal(parseInput(formatInput(ms, zone), zone), '2026-11-28T10:41:00.000Z')
  }
  t.equal(parseInput('', 'utc'), undefined)
})
