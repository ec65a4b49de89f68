import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { worker } from '../bullmq.ts'
import { startReplica } from '../replica.ts'
import { startServers } from '../setup.ts'

/** A test for people runs it with 10,000. */
const JOBS = Number(process.env.TIDINGS_TEST_BULK_JOBS ?? 2000)
const BATCH = 500

type Bulk = { state: string, matched: number, done: number, failed: number, skipped: number }

t.test(`a retry of ${JOBS} failed jobs, killed twice, retries each exactly once`, async t => {
  const { redis, database, env } = await startServers(t)
  const settings = { ...env, JOBS_OPEN_MAX_PER_USER: '0', RATE_LIMIT_MAX: '0' }
  let replica = await startReplica(t, settings)
  const headers = { authorization: `Bearer ${tokenOf(7)}`, 'content-type': 'application/json' }
  async function call<Body> (method: string, path: string, body?: object): Promise<Body> {
    const response = await fetch(`${replica.url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return await response.json() as Body
  }

  const ids: string[] = []
  for (let i = 0; i < JOBS; i += BATCH) {
    const jobs = Array.from({ length: Math.min(BATCH, JOBS - i) }, () => ({ name: 'bad' }))
    const submitted = await call<{ jobs: { jobId: string }[] }>('POST', '/submit-jobs', { jobs })
    ids.push(...submitted.jobs.map(({ jobId }) => jobId))
  }
  // A tenth is missing in BullMQ, as after its retention: these are added again.
  const gone = ids.filter((_, i) => i % 10 === 0)
  const runs = new Map<string, number>()
  worker(t, redis, async job => {
    runs.set(job.id as string, (runs.get(job.id as string) ?? 0) + 1)
    throw new Error('no luck')
  }, { concurrency: 50 })
  const countFailed = async () => (await database.sql`select count(*)::int from jobs.jobs where state = 4`)[0]?.count
  await until(async () => await countFailed() === JOBS, { timeoutMs: 240_000, what: 'all jobs to fail' })
  const client = redis.client()
  for (const id of gone) {
    await client.multi().del(`bull:default:${id}`).zrem('bull:default:failed', id).exec()
  }

  const { bulkId, matched } = await call<{ bulkId: string, matched: number }>('POST', '/bulk', {
    action: 'retry', filter: {}
  })
  t.equal(matched, JOBS)
  for (let kills = 0; kills < 2; kills++) {
    // The action waits for an item in the middle of those that are left, so that the kill is in the middle too.
    await database.sql.begin(async sql => {
      const [item] = await sql`
        select place from jobs.bulk_items order by place
        offset (select count(*) / 2 from jobs.bulk_items) limit 1 for update`
      t.ok(item, 'items are left')
      await until(async () => (await database.sql`
        select from pg_stat_activity where wait_event_type = 'Lock' and query like '%bulk_items%'`).length > 0)
      await replica.kill('SIGKILL')
    })
    replica = await startReplica(t, settings)
  }
  const bulk = await until(async () => {
    const now = await call<Bulk>('GET', `/bulk/${bulkId}`)
    return now.state === 'finished' && now
  }, { timeoutMs: 240_000, what: 'the bulk action to finish' })
  t.match(bulk, { matched: JOBS, done: JOBS, failed: 0, skipped: 0 })
  await until(() => ids.every(id => (runs.get(id) ?? 0) >= 2), { timeoutMs: 240_000, what: 'all jobs to run again' })
  await until(async () => await countFailed() === JOBS, { timeoutMs: 240_000, what: 'all jobs to fail again' })
  const times = new Map<number, number>()
  for (const id of ids) times.set(runs.get(id) ?? 0, (times.get(runs.get(id) ?? 0) ?? 0) + 1)
  t.same([...times], [[2, JOBS]], 'each ran once before and once after')
})
