import t from 'tap'
import type { Queue, RepeatOptions } from 'bullmq'
import type { FastifyInstance } from 'fastify'
import { tokenOf, until } from '@tidings/testing'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { producer, worker } from '../bullmq.ts'
import { jobRows, untilStates } from '../job-rows.ts'
import { setup, startApp, startServers } from '../setup.ts'
import { publishedEvents } from '../published-events.ts'

const SILENT_MS = 1000
const QUICK = { RECONCILE_SILENT_MS: String(SILENT_MS), RECONCILE_INTERVAL_MS: '100' }

/** Waits until every open job was compared as silent. */
async function reconciled (app: FastifyInstance) {
  const since = Date.now() + SILENT_MS
  await until(
    async () => (await app.sql`select 1 from jobs.jobs where state < 3 and looked_ms < ${since}`).length === 0
  )
}

async function rest (app: FastifyInstance, path: string, user: number | string = 1) {
  return await app.inject({ url: path, headers: { authorization: `Bearer ${tokenOf(user)}` } })
}

const failures = async (app: FastifyInstance) => (
  await publishedEvents(app.redis)
).filter(({ type }) => type === 'failed').map(({ jobId, error }) => [jobId, error])

t.test('schedulers that are upserted at each boot report no failure, and each has one scheduled job', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  const later = Date.now() + 600_000
  const boots: ((boot: number) => [id: string, schedule: RepeatOptions])[] = [
    () => ['due-now', { every: 3_600_000 }],
    () => ['due-later', { every: 3_600_000, startDate: later }],
    boot => ['changed', { every: 3_600_000 * boot, startDate: later + boot * 1000 }],
    () => ['by-pattern', { pattern: '0 0 1 1 *' }],
    boot => ['by-another-pattern', { pattern: `0 0 ${boot} 1 *` }]
  ]
  for (let boot = 1; boot <= 3; boot++) {
    for (const one of boots) await queue.upsertJobScheduler(...one(boot), { data: { userId: 1 } })
    await until(
      async () => (
        await publishedEvents(app.redis)
      ).filter(({ type }) => type === 'added').length === boot * boots.length
    )
  }
  await reconciled(app)
  const rows = await until(async () => {
    const rows = await jobRows(database.sql)
    // Each boot has as many: the rows may be of a former one.
    return rows.length === boots.length && rows.some(({ id }) => id === `repeat:changed:${later + 3000}`) && rows
  })
  t.same(new Set(rows.map(({ id }) => id)), new Set((await queue.getJobs(['delayed', 'waiting'])).map(({ id }) => id)))
  t.same(rows.map(({ state }) => state), ['waiting', 'delayed', 'delayed', 'delayed', 'delayed'])
  t.same(await failures(app), [])
  t.equal((await rest(app, `/jobs/${rows[1]?.id}`)).json().state, 'delayed')
  t.same((await rest(app, '/jobs/counts')).json(), { waiting: 1, active: 0, completed: 0, failed: 0, delayed: 4 })
  t.same(await compareCounts(app.sql), [])
})

t.test('a replaced debounced job is not reported as failed; GET of its id names the successor', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  const ids: string[] = []
  for (let i = 0; i < 5; i++) {
    const { id = '' } = await queue.add('save', { userId: 1 }, {
      delay: 600_000, deduplication: { id: 'document', ttl: 600_000, extend: true, replace: true }
    })
    ids.push(id)
    await until(
      async () => (await publishedEvents(app.redis)).some(({ type, jobId }) => type === 'delayed' && jobId === id)
    )
  }
  await reconciled(app)
  await until(async () => (await jobRows(database.sql)).length === 1)
  t.notOk((await publishedEvents(app.redis)).some(({ type }) => type === 'failed'))
  const list = (await rest(app, '/jobs')).json()
  t.same(list.jobs.map(({ id, state }: { id: string, state: string }) => [id, state]), [[ids.at(-1), 'delayed']])
  t.same((await rest(app, '/jobs/counts')).json(), { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 1 })
  t.same(await compareCounts(app.sql), [])
  const gone = await rest(app, `/jobs/${ids[0]}`)
  t.equal(gone.statusCode, 404)
  t.match(gone.json().detail, new RegExp(`replaced by job ${ids.at(-1)}`))
})

t.test('with pages of one entry the successor is found too', async t => {
  const { app, redis, database } = await setup(t, { ...QUICK, RELAY_BATCH: '1' })
  const queue = producer(t, redis)
  for (let i = 0; i < 3; i++) {
    await queue.add('save', { userId: 1 }, { delay: 600_000, deduplication: { id: 'document', replace: true } })
  }
  const marker = await queue.add('marker', { userId: 1 })
  await until(
    async () => (await publishedEvents(app.redis)).some(({ type, jobId }) => type === 'waiting' && jobId === marker.id)
  )
  await reconciled(app)
  await untilStates(database.sql, ['delayed', 'waiting'])
  t.same(await failures(app), [])
})

t.test('a relay that was away when a job was replaced, and whose entries were trimmed meanwhile', async t => {
  const { redis, env, database } = await startServers(t)
  const queue = producer(t, redis)
  const first = await startApp(t, { ...env, ...QUICK })
  const replace = async () => await queue.add('save', { userId: 1 }, {
    delay: 600_000, deduplication: { id: 'document', replace: true }
  })
  await replace()
  await queue.upsertJobScheduler('nightly', { every: 3_600_000, startDate: Date.now() + 600_000 }, {
    data: { userId: 1 }
  })
  await untilStates(database.sql, ['delayed', 'delayed'])
  await first.close()
  await replace()
  await queue.upsertJobScheduler('nightly', { every: 7_200_000 }, { data: { userId: 1 } })
  await queue.trimEvents(0)

  const second = await startApp(t, { ...env, ...QUICK })
  await until(async () => (await jobRows(database.sql)).length === 0)
  const successor = await replace()
  await untilStates(database.sql, ['delayed'])
  t.same(await failures(second), [])
  t.same(await compareCounts(second.sql), [])
  t.equal((await rest(second, '/jobs')).json().jobs[0].id, successor.id)
})

t.test('rescheduled by hand: removed and added again, with its id, its deduplication or its scheduler', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  const ways: ((queue: Queue) => Promise<unknown>)[] = [
    async queue => {
      await queue.remove('report-7')
      await queue.add('report', { userId: 1 }, { jobId: 'report-7', delay: 600_000 })
    },
    async queue => {
      const pending = await queue.getDeduplicationJobId('document')
      if (pending) await queue.remove(pending)
      await queue.add('save', { userId: 1 }, { delay: 600_000, deduplication: { id: 'document' } })
    },
    async queue => {
      await queue.removeJobScheduler('nightly')
      await queue.upsertJobScheduler('nightly', { every: 3_600_000, startDate: Date.now() + 600_000 }, {
        data: { userId: 1 }
      })
    }
  ]
  for (const way of ways) await way(queue)
  await untilStates(database.sql, ['delayed', 'delayed', 'delayed'])
  const before = (await jobRows(database.sql)).map(({ n }) => n)
  for (const way of ways) await way(queue)
  const rows = await until(async () => {
    const rows = await jobRows(database.sql)
    return rows.length === 3 && rows.every(({ n }) => !before.includes(n)) && rows
  })
  t.same(rows.map(({ state }) => state), ['delayed', 'delayed', 'delayed'])
  t.same(await failures(app), [])
  t.same(await compareCounts(app.sql), [])
})

t.test('of two incarnations of one millisecond the first is replaced, and the second ends once', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  const add = async () => await queue.add('report', { userId: 1 }, {
    jobId: 'report-7', timestamp: 1_700_000_000_000, delay: 600_000
  })
  await add()
  await untilStates(database.sql, ['delayed'])
  await queue.remove('report-7')
  const second = await add()
  await until(async () => {
    const rows = await jobRows(database.sql)
    return rows.length === 1 && rows[0]?.n !== '1'
  })
  worker(t, redis, async () => 'done')
  await second.promote()
  await untilStates(database.sql, ['completed'])
  await reconciled(app)
  t.same((await publishedEvents(app.redis)).map(({ type }) => type), [
    'added', 'delayed', 'added', 'delayed', 'replaced', 'waiting', 'active', 'completed'
  ])
})

t.test('a job that is removed for good is reported as removed, and so is the job of a removed scheduler', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  await queue.add('report', { userId: 1 }, { jobId: 'report-7' })
  await queue.add('save', { userId: 1 }, { deduplication: { id: 'document' } })
  await queue.upsertJobScheduler('nightly', { every: 3_600_000, startDate: Date.now() + 600_000 }, {
    data: { userId: 1 }
  })
  const rows = await untilStates(database.sql, ['waiting', 'waiting', 'delayed'])
  for (const { id } of rows.slice(0, 2)) await queue.remove(id)
  await queue.removeJobScheduler('nightly')
  await untilStates(database.sql, ['failed', 'failed', 'failed'])
  t.same(await failures(app), rows.map(({ id }) => [id, 'Removed from the queue']))
})

t.test('a retried iteration does not count as replaced by the next one', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  let runs = 0
  await queue.upsertJobScheduler('nightly', { every: 3_600_000 }, {
    data: { userId: 1 }, opts: { attempts: 2, backoff: 3000 }
  })
  worker(t, redis, async () => {
    if (++runs === 1) throw new Error('not yet')
    return 'done'
  })
  // the current one, which waits for its second attempt, and the next
  await untilStates(database.sql, ['delayed', 'delayed'])
  await queue.upsertJobScheduler('nightly', { every: 7_200_000, startDate: Date.now() + 600_000 }, {
    data: { userId: 1 }
  })
  await untilStates(database.sql, ['completed', 'delayed'])
  t.same(await failures(app), [])
  t.same(await compareCounts(app.sql), [])
})
