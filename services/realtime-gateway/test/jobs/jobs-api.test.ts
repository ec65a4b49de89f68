import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ZERO } from '@tidings/job-events'
import { startReceiver, type ReceiverHandler, type TestContext } from '@tidings/testing'
import { createJobsApi } from '../../src/jobs/jobs-api.ts'

async function setup (t: TestContext, handler: ReceiverHandler) {
  const receiver = await startReceiver(t, handler)
  const jobsApi = createJobsApi({ url: receiver.url, log: { warn: () => {} } })
  t.teardown(jobsApi.close)
  return { receiver, find: (jobId: string) => jobsApi.find({ jobId, token: 'token', after: ZERO }) }
}

t.test('it asks with the client\'s own token, and says what the answer means', async t => {
  const { receiver, find } = await setup(t, ({ url }) => Number(url.slice('/jobs/'.length, -1)))
  t.same(await find('404'), { ok: false, error: 'not found' })
  t.same(await find('401'), { ok: false, error: 'unauthorized' })
  t.same(await find('503'), { ok: false, error: 'unavailable' })
  t.equal(receiver.requests[0]?.headers.authorization, 'Bearer token')
})

t.test('a jobs-api that does not answer is not waited for', async t => {
  const { find } = await setup(t, () => {})
  t.same(await find('a'), { ok: false, error: 'unavailable' })
})

// 32 are under way at a time: the last of these waits longer for its turn than an answer may take.
t.test('time counts from when a question is asked, not from when it begins to wait for a connection', async t => {
  const { find } = await setup(t, async (_request, response) => {
    await sleep(200)
    response.end('{"id":"a"}')
  })
  const found = await Promise.all(Array.from({ length: 400 }, () => find('a')))
  t.ok(found.every(({ ok }) => ok))
})
