import t from 'tap'
import type { FastifyInstance } from 'fastify'
import postgres from 'postgres'
import type { Job } from '@tidings/contracts'
import { ZERO } from '@tidings/job-events'
import { startPostgres, startRedis, startStandby, TEST_SECRET, tokenOf, until, withoutStandby } from '@tidings/testing'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { producer, worker } from '../bullmq.ts'
import { publishedEvents } from '../published-events.ts'
import { startApp } from '../setup.ts'
import { submit } from '../submit.ts'

const LARGE = 'x'.repeat(70 * 1024)
const ENDS = new Set(['completed', 'failed'])

t.test('a Postgres that fails over to a standby that lagged catches up, though nothing happens', {
  skip: withoutStandby
}, async t => {
  const [primary, redis] = await Promise.all([startPostgres(t), startRedis(t)])
  const standby = await startStandby(t, primary)
  const url = new URL(primary.url)
  const env = {
    DATABASE_URL: primary.url.replace(url.host, `${url.host},127.0.0.1:${standby.port}`),
    REDIS_URL: redis.url,
    TOKEN_SECRET: TEST_SECRET,
    RECONCILE_SILENT_MS: '3600000',
    LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
    NODE_ENV: 'test'
  }
  const [one, two] = [await startApp(t, env), await startApp(t, env)]
  const kept = await submit(one)
  const lastId = async () => (await publishedEvents(one.redis)).at(-1)?.eventId as string
  await until(async () => (await job(one, kept, await lastId().catch(() => '0-0'))).state === 'waiting')
  await standby.cutOff()

  const lost = await submit(one)
  const large = await submit(one, { name: 'large' })
  const delayed = await submit(one, { name: 'delayed', delay: 3_600_000 })
  const adopted = (await producer(t, redis).add('adopted', { userId: 7 })).id as string
  const work = worker(t, redis, ({ name, id }) => Promise.resolve(name === 'large' ? LARGE : id))
  const ids = [kept, lost, large, adopted]
  await until(async () => {
    const events = await publishedEvents(one.redis)
    return ids.every(id => events.some(({ jobId, type }) => jobId === id && ENDS.has(type))) &&
      events.some(({ jobId, type }) => jobId === delayed && type === 'delayed')
  }, { what: 'all ends to be published' })
  const last = await lastId()
  for (const app of [one, two]) t.equal((await job(app, lost, last)).state, 'completed')
  const before = await publishedEvents(one.redis)

  primary.pause()
  await until(() => [one, two].every(({ projection }) => !projection.hasReached(ZERO)), {
    what: 'doubt about a Postgres that is silent'
  })
  await primary.kill()
  await standby.promote()
  for (const app of [one, two]) {
    const shown = await Promise.all([...ids, delayed].map(async id => await job(app, id, last)))
    t.same(shown.map(({ state }) => state), ['completed', 'completed', 'completed', 'completed', 'delayed'])
    t.same(shown.slice(0, 4).map(({ result }) => result), [kept, lost, LARGE, adopted], 'with their results')
  }
  t.same(await publishedEvents(one.redis), before, 'nothing is published again')

  const sql = postgres(standby.url, { max: 1, onnotice: () => {} })
  t.teardown(() => sql.end({ timeout: 1 }))
  t.same(await sql`select id from jobs.jobs order by id`, [...ids, delayed].toSorted().map(id => ({ id })))
  t.same(await compareCounts(one.sql), [])
  await one.findQueue('default').getJob(delayed).then(job => job?.promote())
  await until(async () => (await job(one, delayed)).state === 'completed', { what: 'the delayed job to run' })
  t.equal((await sql`select from jobs.jobs where id = ${delayed}`).length, 1, 'it is still the same job')
  await work.close()
})

/** Again while the service has no Postgres, or has not caught up. */
async function job (app: FastifyInstance, jobId: string, after?: string): Promise<Job> {
  return await until(async () => {
    const answer = await app.inject({
      url: `/jobs/${jobId}${after ? `?after=${after}` : ''}`, headers: { authorization: `Bearer ${tokenOf(7)}` }
    })
    return answer.statusCode < 500 && answer.json<Job>()
  }, { what: `job ${jobId}` })
}
