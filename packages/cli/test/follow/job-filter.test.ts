import t from 'tap'
import type { Job, JobEvent } from 'tidings'
import { matches, mayMatch, type JobFilter } from '../../src/follow/job-filter.ts'

const job = (fields: object = {}) => ({
  id: 'a1',
  name: 'Resize',
  queue: 'default',
  state: 'failed',
  failedReason: 'No luck',
  timestamp: { created: 100 },
  ...fields
}) as Job
const event = (fields: object) => ({
  type: 'failed', eventId: '1-0', jobId: 'a1', name: 'Resize', queue: 'default', ...fields
}) as JobEvent

t.test('a job is decided as the service decides it', async t => {
  const those: JobFilter[] = [
    {}, { status: ['active', 'failed'] }, { q: 'a' }, { q: 'SIZE' }, { q: 'luck' },
    { name: 'Resize', queue: 'default' }, { from: 100, to: 101 }
  ]
  const others: JobFilter[] = [
    { status: ['active'] }, { q: '1' }, { q: 'A' }, { q: 'lucky' }, { name: 'resize' }, { queue: 'x' },
    { from: 101 }, { to: 100 }
  ]
  for (const filter of those) t.ok(matches(filter, job()), JSON.stringify(filter))
  for (const filter of others) t.notOk(matches(filter, job()), JSON.stringify(filter))
  t.notOk(matches({ q: 'luck' }, job({ failedReason: `${'x'.repeat(2000)}luck` })), 'of an error the beginning is searched')
})

t.test('an event is looked into where its job can be one of those', async t => {
  const state = { type: 'state', state: 'waiting', queue: undefined }
  const can: [JobFilter, object][] = [
    [{ status: ['failed'], name: 'Resize' }, {}], [{ status: ['waiting'], queue: 'other' }, state],
    [{ status: ['active'] }, { type: 'progress' }], [{ q: 'luck' }, {}], [{ q: 'size' }, state], [{ from: 5 }, state]
  ]
  const cannot: [JobFilter, object][] = [
    [{ status: ['active'] }, {}], [{ status: ['failed'] }, state], [{ q: 'luck' }, state], [{ name: 'x' }, state],
    [{ queue: 'other' }, {}]
  ]
  for (const [filter, fields] of can) t.ok(mayMatch(filter, event(fields)), JSON.stringify([filter, fields]))
  for (const [filter, fields] of cannot) t.notOk(mayMatch(filter, event(fields)), JSON.stringify([filter, fields]))
})
