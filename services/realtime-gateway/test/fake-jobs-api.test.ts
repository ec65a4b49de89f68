import { fileURLToPath } from 'node:url'
import t from 'tap'
import { decodeFoundJobs, FIND_JOBS_PATH, type FindJobs } from '@tidings/contracts'
import { createDatabase, freePort, spawnService, TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { startSurroundings } from './setup/gateway.ts'

const ENTRY = fileURLToPath(new URL('../../jobs-api/src/server.ts', import.meta.url))

type Job = Record<string, unknown>

t.test('the fake jobs-api of these tests answers like the real one', async t => {
  const { redis, jobs } = await startSurroundings(t)
  const port = await freePort()
  const real = `http://127.0.0.1:${port}`
  await spawnService(t, {
    entry: ENTRY,
    env: {
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      TOKEN_SECRET: TEST_SECRET,
      DATABASE_URL: (await createDatabase(t)).url,
      REDIS_URL: redis.url,
      PORT: String(port)
    },
    readyUrl: `${real}/livez`
  })
  const own = { userId: 'owner', jobId: 'own' }
  await jobs.publish({ ...own, type: 'added' }, { ...own, type: 'waiting' }, { ...own, type: 'active' })
  await jobs.publish({ ...own, progress: { rows: 40 } }, { ...own, jobId: 'done', type: 'active' })
  const [last] = await jobs.publish({ ...own, jobId: 'done', type: 'completed', result: ['ü', null] })
  const other = { userId: 'other', jobId: 'theirs', type: 'active' } as const
  const [newest] = await jobs.publish(other)

  const find = async (url: string, body: FindJobs) => {
    const headers = { authorization: `Bearer ${tokenOf('owner')}`, 'content-type': 'application/json' }
    const response = await fetch(`${url}${FIND_JOBS_PATH}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const found = response.ok ? decodeFoundJobs(Buffer.from(await response.arrayBuffer())) : []
    return { status: response.status, jobs: found.map(text => text.startsWith('{') ? JSON.parse(text) as Job : text) }
  }
  const upToDate = { jobs: [{ jobId: 'own' }], after: newest as string }
  await until(async () => (await find(real, upToDate)).status === 200, { what: 'jobs-api to have all events' })

  const requests: Record<string, FindJobs> = {
    'jobs of the user, in order': { jobs: [{ jobId: 'done' }, { jobId: 'own' }], after: last as string },
    'by queue': { jobs: [{ jobId: 'own', queue: 'default' }, { jobId: 'own', queue: 'another' }] },
    'unknown and foreign jobs': { jobs: [{ jobId: 'nothing' }, { jobId: 'theirs' }] },
    'an event that does not exist yet': { jobs: [{ jobId: 'own' }], after: `${Date.now() + 60_000}-0` }
  }
  const statuses: number[] = []
  for (const [name, body] of Object.entries(requests)) {
    const [fake, actual] = [await find(jobs.url, body), await find(real, body)]
    t.equal(actual.status, fake.status, name)
    t.same(actual.jobs.map(shape), fake.jobs.map(shape), name)
    statuses.push(actual.status)
  }
  t.same(statuses, [200, 200, 200, 503])
})

/** The fields that the fake knows; times are its own. */
function shape (job: Job | string) {
  if (typeof job === 'string') return job
  const { id, queue, name, state, progress, result, lastEventId } = job
  return { id, queue, name, state, progress, result, lastEventId }
}
