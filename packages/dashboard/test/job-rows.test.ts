import t from 'tap'
import type { JobSummary } from 'tidings'
import { createJobRows } from '../src/jobs/job-rows.ts'

const job = (index: number, lastEventId = '1-0') => ({ queue: 'default', id: `job-${index}`, lastEventId }) as JobSummary

function makeRows (pages: number) {
  const rows = createJobRows()
  for (let number = 0; number < pages; number++) {
    rows.add({ cursor: undefined, size: 0, rows: undefined, isLoading: false })
    rows.set(number, Array.from({ length: 100 }, (_, index) => job(number * 100 + index)))
  }
  return rows
}

t.test('rows keep their places, and at most 10,000 of them are held: those near what is seen', async t => {
  const rows = makeRows(1000)
  rows.dropFarFrom(50_000)
  t.equal(rows.count, 100_000)
  t.equal(rows.held().length, 10_000)
  t.equal(rows.rowAt(50_000)?.id, 'job-50000')
  t.equal(rows.rowAt(0), undefined)
  t.equal(rows.has(job(0)), false)
  t.equal(rows.keyOfId('job-0'), undefined)
  rows.set(0, [job(0)])
  t.equal(rows.rowAt(0)?.id, 'job-0', 'what was dropped is loaded again in its place')
  t.equal(rows.rowAt(50_000)?.id, 'job-50000')
})

t.test('an answer that is older than an event changes nothing', async t => {
  const rows = makeRows(1)
  t.equal(rows.change('default:job-7', row => ({ ...row, lastEventId: '5-0', state: 'completed' })), true)
  rows.set(0, [...rows.held().map(({ id }) => job(Number(id.slice(4)), '4-0'))])
  t.match(rows.rowAt(7), { state: 'completed', lastEventId: '5-0' })
  t.equal(rows.rowAt(8)?.lastEventId, '4-0')
  t.equal(rows.change('default:other', row => row), false)
})
