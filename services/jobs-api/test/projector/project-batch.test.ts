import t from 'tap'
import Fastify from 'fastify'
import { createDatabase, until, type TestContext } from '@tidings/testing'
import { jsonText, type PublishedJobEvent } from '@tidings/contracts'
import { createSql, postgres } from '@tidings/service-kit'
import { eventIdOf, ZERO, type EventId } from '@tidings/job-events'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { readPosition } from '../../src/db/projector-position.ts'
import { projectBatch } from '../../src/projector/project-batch.ts'
import { jobRows } from '../job-rows.ts'

async function setup (t: TestContext) {
  const database = await createDatabase(t)
  const app = Fastify()
  app.register(postgres, {
    url: database.url, schema: 'jobs', migrations: new URL('../../src/db/migrations', import.meta.url)
  })
  await app.ready()
  t.teardown(() => app.close())
  return { sql: app.sql, database }
}

/** Events of many adopted jobs of a few users, in one order. */
function manyEvents (jobs: number): PublishedJobEvent[] {
  let seq = 0
  const types = ['added', 'waiting', 'active', 'progress', 'completed'] as const
  return types.flatMap(type => Array.from({ length: jobs }, (_, i) => ({
    v: 1,
    type,
    queue: 'q',
    jobId: String(i),
    generation: `1-${i}`,
    name: 'n',
    userId: String(i % 3),
    timestamp: 5,
    eventId: `10-${++seq}`,
    ...(type === 'progress' && { progress: jsonText(i) })
  })))
}

const ends = (events: PublishedJobEvent[]): EventId => eventIdOf((events.at(-1) as PublishedJobEvent).eventId)

t.test('rows, counters, timeline and position move together', async t => {
  const { sql, database } = await setup(t)
  const events = manyEvents(30)
  t.equal(await projectBatch(sql, { from: ZERO, to: ends(events), events }), true)
  t.same(await readPosition(sql), ends(events))
  const rows = await jobRows(database.sql)
  t.equal(rows.length, 30)
  t.ok(rows.every(({ state, progress, id }) => state === 'completed' && progress === Number(id)))
  t.same(await compareCounts(sql), [])
  t.equal((await sql`select 1 from jobs.timeline`).length, 120, 'progress has no row')
  t.same((await sql`select distinct type from jobs.timeline where samples is not null`), [{ type: 'completed' }])
})

t.test('a batch from another position changes nothing', async t => {
  const { sql, database } = await setup(t)
  const events = manyEvents(3)
  t.equal(await projectBatch(sql, { from: { ms: 9, seq: 9 }, to: ends(events), events }), false)
  t.equal((await jobRows(database.sql)).length, 0)
})

t.test('racing projectors project each event once', async t => {
  const { sql, database } = await setup(t)
  const events = manyEvents(40)
  const batches = Array.from({ length: 20 }, (_, i) => events.slice(i * 10, i * 10 + 10))
  const racer = async () => {
    let won = 0
    let from = ZERO
    for (const batch of batches) {
      if (await projectBatch(sql, { from, to: ends(batch), events: batch })) won++
      from = ends(batch)
    }
    return won
  }
  const wins = await Promise.all([racer(), racer(), racer()])
  t.equal(wins.reduce((sum, won) => sum + won), batches.length)
  t.ok((await jobRows(database.sql)).every(({ attempts_made: made, state }) => made === 1 && state === 'completed'))
  t.same(await compareCounts(sql), [])
  t.same(await readPosition(sql), ends(events))
})

t.test('a transaction that is cut off before its commit leaves nothing behind', async t => {
  const { sql, database } = await setup(t)
  const events = manyEvents(10)
  const other = createSql(database.url, { max: 1 })
  const [{ pid }] = await other<[{ pid: number }]>`select pg_backend_pid() as pid`
  await sql.unsafe(`create function jobs.slowly() returns trigger language plpgsql as $$
    begin if pg_backend_pid() = ${pid} then perform pg_sleep(10); end if; return new; end $$;
    create trigger slowly before insert on jobs.timeline for each statement execute function jobs.slowly()`)
  const cut = t.rejects(projectBatch(other, { from: ZERO, to: ends(events), events }))
  const waits = async (event: string) =>
    (await sql`select 1 from pg_stat_activity where datname = current_database() and ${event} in (wait_event_type, wait_event)`).length === 1
  await until(async () => await waits('PgSleep'))
  const second = projectBatch(sql, { from: ZERO, to: ends(events), events })
  await until(async () => await waits('Lock'), { what: 'the second to wait for the row of the position' })
  await sql`select pg_terminate_backend(${pid})`
  await cut
  t.equal(await second, true)
  t.equal((await jobRows(database.sql)).length, 10)
  t.same(await compareCounts(sql), [])
  await other.end({ timeout: 1 })
})
