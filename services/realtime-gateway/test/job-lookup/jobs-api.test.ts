import t from 'tap'
import { encodeFoundJobs, FIND_JOBS_PATH } from '@tidings/contracts'
import { ZERO } from '@tidings/job-events'
import { startReceiver, type ReceiverHandler, type TestContext } from '@tidings/testing'
import { createJobsApi } from '../../src/job-lookup/jobs-api.ts'

async function setup (t: TestContext, handler: ReceiverHandler) {
  const receiver = await startReceiver(t, handler)
  const jobsApi = createJobsApi({ url: receiver.url, log: { warn: () => {} } })
  t.teardown(jobsApi.close)
  return {
    receiver,
    find: () => jobsApi.find(
      { jobs: [{ jobId: 'a' }, { jobId: 'b', queue: 'q' }], token: 'token', after: { ms: 5, seq: 1 } }
    )
  }
}

t.test('it requests many jobs at once with the client\'s own token', async t => {
  const { receiver, find } = await setup(
    t, (_request, response) => { response.end(encodeFoundJobs(['{"id":"a"}', undefined])) }
  )
  t.same(await find(), { ok: true, jobs: ['{"id":"a"}', 'none'] })
  const [request] = receiver.requests
  t.match(request, { method: 'POST', url: FIND_JOBS_PATH, headers: { authorization: 'Bearer token' } })
  t.same(request?.json, { after: '5-1', jobs: [{ jobId: 'a' }, { jobId: 'b', queue: 'q' }] })
})

t.test('it maps each status to a refusal; a missing route is `unavailable`', async t => {
  let status = 0
  const { find } = await setup(t, () => status)
  for (const [answer, error] of [
    [401, 'unauthorized'], [403, 'forbidden'], [429, 'rate limited'], [404, 'unavailable'], [503, 'unavailable'],
    [500, 'unavailable']
  ] as const) {
    status = answer
    t.same(await find(), { ok: false, error, isUnreachable: false }, String(answer))
  }
})

t.test('a jobs-api that does not answer, or answers nonsense, is unreachable', async t => {
  const { receiver, find } = await setup(t, () => {})
  t.same(await find(), { ok: false, error: 'unavailable', isUnreachable: true })
  receiver.handle((_request, response) => { response.end('nonsense') })
  t.same(await find(), { ok: false, error: 'unavailable', isUnreachable: true })
  await receiver.stop()
  t.same(await find(), { ok: false, error: 'unavailable', isUnreachable: true })
})

t.test('a request from the first event on has no position', async t => {
  const receiver = await startReceiver(t, () => 401)
  const jobsApi = createJobsApi({ url: `${receiver.url}/below/`, log: { warn: () => {} } })
  t.teardown(jobsApi.close)
  await jobsApi.find({ jobs: [{ jobId: '..' }], token: 'token', after: ZERO })
  t.equal(receiver.requests[0]?.url, `/below${FIND_JOBS_PATH}`)
  t.same(receiver.requests[0]?.json, { jobs: [{ jobId: '..' }] })
})
