import t from 'tap'
import { decodeFoundJobs, FIND_JOBS_PATH } from '@tidings/contracts'
import { createStreamReader, formatEventId, isNewer } from '@tidings/job-events'
import { tokenOf, until } from '@tidings/testing'
import { setup } from '../setup.ts'

const headersOf = (userId: string) => ({ authorization: `Bearer ${tokenOf(userId)}` })

t.test('POST /internal/find-jobs', async t => {
  const { app } = await setup(t, { RATE_LIMIT_MAX: '20' })
  const find = (userId: string, payload: object) => app.inject({
    method: 'POST', url: FIND_JOBS_PATH, headers: headersOf(userId), payload
  })
  const submit = async (userId: string) => {
    const answer = await app.inject({
      method: 'POST', url: '/submit-job', headers: headersOf(userId), payload: { name: 'x' }
    })
    return (answer.json() as { jobId: string }).jobId
  }

  t.test('returns the user\'s own jobs in the order of the request, as GET does', async t => {
    const [one, two, theirs] = [await submit('1'), await submit('1'), await submit('2')]
    const answer = await find('1', {
      jobs: [
        { jobId: two }, { jobId: theirs }, { jobId: 'counts' }, { jobId: one, queue: 'default' },
        { jobId: one, queue: 'another' }
      ]
    })
    t.equal(answer.statusCode, 200)
    const found = decodeFoundJobs(answer.rawPayload)
    const shown = async (jobId: string) => (
      await app.inject({ url: `/jobs/${jobId}`, headers: headersOf('1') })
    ).json() as object
    t.same([found[0], found[3]].map(text => (JSON.parse(text as string) as { id: string }).id), [two, one])
    await until(async () => {
      const [text] = decodeFoundJobs((await find('1', { jobs: [{ jobId: one }] })).rawPayload)
      return JSON.stringify(await shown(one)) === text
    })
    t.same([found[1], found[2], found[4]], ['none', 'none', 'none'])
  })

  t.test('finds a job by any legal id', async () => {
    const queue = app.findQueue('default')
    const ids = ['counts', 'stats', '..', 'a/b', '%2F', 'a b', 'ü', '__proto__']
    for (const jobId of ids) await queue.add('adopted', { userId: 'ids' }, { jobId })
    await until(async () => {
      const found = decodeFoundJobs((await find('ids', { jobs: ids.map(jobId => ({ jobId })) })).rawPayload)
      return found.every((text, index) => text !== 'none' && (JSON.parse(text) as { id: string }).id === ids[index])
    }, { intervalMs: 2000 })
  })

  t.test('waits for the event that the gateway knows; an unknown one has not arrived yet', async t => {
    const jobId = await submit('3')
    t.equal((await find('3', { after: `${Date.now() + 1e6}-0`, jobs: [{ jobId }] })).statusCode, 503)
    const { lastEventId } = await until(async () => {
      const job = (await app.inject({ url: `/jobs/${jobId}`, headers: headersOf('3') })).json() as {
        lastEventId: string | null
      }
      return job.lastEventId !== null && { lastEventId: job.lastEventId }
    })
    t.equal((await find('3', { after: lastEventId, jobs: [{ jobId }] })).statusCode, 200)
  })

  t.test('needs a token, at least one job, and at most 100', async t => {
    t.equal(
      (await app.inject({ method: 'POST', url: FIND_JOBS_PATH, payload: { jobs: [{ jobId: 'a' }] } })).statusCode, 401
    )
    for (const jobs of [
      [], Array.from({ length: 101 }, () => ({ jobId: 'a' })), [{ jobId: '' }], [{ jobId: 'a', other: 1 }]
    ]) {
      t.equal((await find('4', { jobs })).statusCode, 400)
    }
  })

  t.test('has a rate limit of its own beside that of REST', async t => {
    for (let i = 0; i < 20; i++) t.equal((await find('5', { jobs: [{ jobId: 'a' }] })).statusCode, 200)
    t.equal((await find('5', { jobs: [{ jobId: 'a' }] })).statusCode, 429)
    t.equal((await app.inject({ url: '/jobs', headers: headersOf('5') })).statusCode, 200)
  })
})

t.test('a request with a body waits for the event that it names', async t => {
  const { app, database } = await setup(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = async (path: string, body: object) => await fetch(`${origin}${path}`, {
    method: 'POST', headers: { ...headersOf('1'), 'content-type': 'application/json' }, body: JSON.stringify(body)
  })
  const { jobId } = await (await ask('/submit-job', { name: 'x', delay: 3_600_000 })).json() as { jobId: string }
  const stream = createStreamReader(app.redis)
  await until(
    async () => (await app.inject({ url: `/jobs/${jobId}`, headers: headersOf('1') })).json<{
      lastEventId: string | null
    }>().lastEventId !== null
  )

  let held: Promise<Response>[] = []
  await database.sql.begin(async tx => {
    await tx`select from jobs.positions for update` // the projection waits
    const before = await stream.last()
    await ask('/submit-job', { name: 'y' })
    const last = await until(async () => {
      const id = await stream.last()
      return id && before && isNewer(id, before) && id
    })
    const after = formatEventId(last)
    held = [ask(FIND_JOBS_PATH, { after, jobs: [{ jobId }] }), ask(`/jobs/${jobId}/cancel?after=${after}`, {})]
    await new Promise(resolve => setTimeout(resolve, 200)) // a refusal would have arrived by now
  })
  t.same((await Promise.all(held)).map(({ status }) => status), [200, 202])
})
