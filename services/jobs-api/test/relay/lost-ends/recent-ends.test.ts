import t from 'tap'
import type { JobEvent } from '@tidings/contracts'
import { UNKNOWN_ID, type RelayPosition } from '@tidings/job-events'
import { RecentEnds } from '../../../src/relay/lost-ends/recent-ends.ts'

const id = (ms: number) => ({ ms, seq: 0 })
const at = (ms: number): RelayPosition => ({ at: `${ms}-0`, read: ms, lost: 0 })
const event = (jobId: string, type: JobEvent['type'] = 'completed'): JobEvent =>
  ({ v: 1, type, queue: 'q', jobId, name: 'work', userId: '7', timestamp: 1 })
const jobsOf = (ends: RecentEnds) => ends.all().map(({ event: { jobId } }) => jobId)

/** Relays a batch to the reply. */
function relay (ends: RecentEnds, events: JobEvent[], n: number): void {
  ends.send(events, at(n - 1), at(n))
  ends.note(events, id(n), () => events.map(() => id(n)))
}

t.test('it keeps the last ten seconds before the newest end, however long Redis is away afterwards', async t => {
  let now = 0
  const ends = new RecentEnds(() => now)
  relay(ends, [event('a')], 1)
  now += 9000
  relay(ends, [event('b'), event('c', 'active')], 2)
  now += 60_000
  t.same(jobsOf(ends), ['a', 'b'])
  relay(ends, [event('d')], 3)
  t.same(jobsOf(ends), ['d'])
  now += 5 * 60_000
  t.same(jobsOf(ends), [], 'at most five minutes')
})

t.test('a batch without a reply is known until it is settled, and its ends may come again', async t => {
  const ends = new RecentEnds()
  relay(ends, [event('a')], 1)
  t.equal(ends.unconfirmed, undefined)
  ends.send([event('b', 'active'), event('b'), event('c')], at(1), at(4))
  t.match(ends.unconfirmed, { from: at(1), to: at(4), ends: [{ jobId: 'b' }, { jobId: 'c' }] })
  t.notOk(ends.mayRepeat(event('b')))
  ends.settle('to be read')
  t.equal(ends.unconfirmed, undefined)
  const doubtful = [event('a'), event('b', 'active'), event('b'), event('c')].filter(one => ends.mayRepeat(one))
  t.match(doubtful, [{ jobId: 'b', type: 'completed' }, { jobId: 'c' }])
  t.equal(doubtful.length, 2)

  relay(ends, [event('b')], 2)
  t.match(ends.all(), [{ firstId: id(1) }, { firstId: UNKNOWN_ID, id: id(2) }])
  t.same([event('b'), event('c')].map(one => ends.mayRepeat(one)), [false, true], 'the rest is still to come')
  ends.send([event('c')], at(2), at(4))
  ends.settle('published')
  t.notOk(ends.mayRepeat(event('c')))
})

t.test('what another process has relayed since is nothing of its own', async t => {
  const ends = new RecentEnds()
  relay(ends, [event('a')], 5)
  ends.send([event('b')], at(5), at(6))
  ends.forgetIfRelayed(at(3)) // Redis has lost the newest
  ends.forgetIfRelayed(at(6))
  t.same(jobsOf(ends), ['a'])
  t.ok(ends.unconfirmed)
  ends.forgetIfRelayed(at(7))
  t.same(jobsOf(ends), [])
  t.equal(ends.unconfirmed, undefined)
})
