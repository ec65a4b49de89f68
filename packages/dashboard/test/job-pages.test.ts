import t from 'tap'
import type { JobEvent, JobList, JobSummary } from 'tidings'
import { createJobPages } from '../src/jobs/job-pages.ts'

const job = {
  id: 'job-1', queue: 'default', name: 'resize', state: 'active', lastEventId: '3-0', timestamp: { created: 1 }
} as JobSummary
const list = { jobs: [job], pagination: { total: 1, next: null } } as unknown as JobList

function end (queue: string) {
  return { type: 'completed', eventId: '5-0', jobId: 'job-1', queue, timestamp: 9 } as JobEvent
}

/** A list whose first page is on its way while an event comes. */
async function rowAfter (event: JobEvent): Promise<JobSummary | undefined> {
  const { promise, resolve } = Promise.withResolvers<JobList>()
  const client = { jobs: { list: () => ({ page: () => promise }) } } as unknown as Parameters<typeof createJobPages>[0]
  const pages = createJobPages(client, {})
  const ready = new Promise<void>(resolve => {
    pages.subscribe(() => { if (pages.get().status === 'ready') resolve() })
  })
  pages.onEvent(event)
  resolve(list)
  await ready
  pages.stop()
  return pages.rowAt(0)
}

t.test('an event that comes before the row of its job is applied to a response that is older', async t => {
  t.match(await rowAfter(end('default')), { state: 'completed', lastEventId: '5-0', timestamp: { finished: 9 } })
  t.match(await rowAfter(end('other')), { state: 'active', lastEventId: '3-0' }, 'one of another queue is not')
})
