import t from 'tap'
import { ZERO } from '@tidings/job-events'
import type { FindJobsResult, FindJobsRequest } from '../../src/job-lookup/jobs-api.ts'
import { createJobLookups } from '../../src/job-lookup/job-lookups.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const nextTurn = () => new Promise(resolve => { setImmediate(resolve) })

/** A jobs-api whose responses are given by the test. */
function setup (maxWaiting = 1000) {
  const asked: { question: FindJobsRequest, answer: (answer: FindJobsResult) => void }[] = []
  const jobsApi = {
    find: (question: FindJobsRequest) => new Promise<FindJobsResult>(
      resolve => { asked.push({ question, answer: resolve }) }
    )
  }
  const { find } = createJobLookups({ jobsApi, maxWaiting })
  const lookUp = (
    userId: string, jobId: string, token = `token of ${userId}`
  ) => find({ userId, jobId, token, after: ZERO })
  const answerAll = () => {
    for (const { question, answer } of asked.splice(0)) {
      answer({ ok: true, jobs: question.jobs.map(({ jobId }) => JSON.stringify({ id: jobId })) })
    }
  }
  return { asked, find, lookUp, answerAll }
}

t.test('lookups of a user in one tick are one request of at most 100 jobs, and one at a time', async t => {
  const { asked, lookUp, answerAll } = setup()
  const found = Promise.all(upTo(250).map(i => lookUp('a', `job ${i}`)))
  await nextTurn()
  t.same(asked.map(({ question }) => question.jobs.length), [100])
  answerAll()
  await nextTurn()
  t.same(asked.map(({ question }) => question.jobs.length), [100])
  answerAll()
  await nextTurn()
  t.same(asked.map(({ question }) => question.jobs.length), [50])
  answerAll()
  t.same(await found, upTo(250).map(i => ({ ok: true, job: { id: `job ${i}` } })))
})

t.test('users are served in turn: thousands of lookups of one delay nobody else', async t => {
  const { asked, lookUp, answerAll } = setup()
  upTo(900).forEach(i => { lookUp('greedy', `job ${i}`).catch((err: unknown) => t.fail(String(err))) })
  await nextTurn()
  const found = lookUp('modest', 'one')
  await nextTurn()
  t.same(asked.map(({ question }) => question.token), ['token of greedy', 'token of modest'])
  answerAll()
  t.match(await found, { ok: true })
})

t.test('beyond the maximum of concurrent requests users wait, in order', async t => {
  const { asked, lookUp, answerAll } = setup()
  const found = Promise.all(upTo(100).flatMap(i => [lookUp(`user ${i}`, 'a'), lookUp(`user ${i}`, 'b')]))
  await nextTurn()
  t.equal(asked.length, 32)
  for (let round = 0; round < 4; round++) {
    answerAll()
    await nextTurn()
  }
  t.ok((await found).every(({ ok }) => ok))
})

t.test('each job is looked up with its own token', async t => {
  const { asked, lookUp, answerAll } = setup()
  const found = Promise.all([lookUp('a', '1', 'old'), lookUp('a', '2', 'new'), lookUp('a', '3', 'new')])
  await nextTurn()
  answerAll()
  await nextTurn()
  t.match(asked.map(({ question }) => question), [{ token: 'new', jobs: [{ jobId: '2' }, { jobId: '3' }] }])
  answerAll()
  t.ok((await found).every(({ ok }) => ok))
})

t.test('a lookup beyond the maximum is refused', async t => {
  const { lookUp, answerAll } = setup(10)
  const found = upTo(12).map(i => lookUp('a', `job ${i}`))
  t.same(await found[11], { ok: false, error: 'rate limited' })
  await nextTurn()
  answerAll()
  t.match(await found[9], { ok: true })
})

t.test('jobs that did not fit into a response are requested again', async t => {
  const { asked, lookUp, answerAll } = setup()
  const found = Promise.all(['a', 'b', 'c'].map(id => lookUp('a', id)))
  await nextTurn()
  asked.shift()?.answer({ ok: true, jobs: ['{"id":"a"}', 'later', 'none'] })
  await nextTurn()
  t.same(asked.map(({ question }) => question.jobs), [[{ jobId: 'b' }]])
  answerAll()
  t.match(
    await found, [{ ok: true, job: { id: 'a' } }, { ok: true, job: { id: 'b' } }, { ok: false, error: 'not found' }]
  )
})

t.test('while jobs-api is unreachable all waiting lookups fail at once; a refusal is for its user alone', async t => {
  const { asked, lookUp, answerAll } = setup()
  const found = upTo(300).map(i => lookUp('a', `job ${i}`))
  const other = lookUp('b', 'one')
  await nextTurn()
  asked[1]?.answer({ ok: false, error: 'unauthorized', isUnreachable: false })
  t.same(await other, { ok: false, error: 'unauthorized' })
  asked[0]?.answer({ ok: false, error: 'unavailable', isUnreachable: true })
  t.ok((await Promise.all(found)).every(answer => !answer.ok && answer.error === 'unavailable'))
  const again = lookUp('a', 'one')
  await nextTurn()
  answerAll()
  t.match(await again, { ok: true }, 'a later lookup tries again')
})

t.test('numbers that no double can represent keep their text', async t => {
  const { asked, lookUp } = setup()
  const found = lookUp('a', 'a')
  await nextTurn()
  const text = '{"id":"a","result":{"big":1152921506151679042,"exact":1.5,"list":[1e400,-0,12345678901234567890.5]}}'
  asked[0]?.answer({ ok: true, jobs: [text] })
  const answer = await found
  t.equal(answer.ok && JSON.stringify(answer.job), text)
})
