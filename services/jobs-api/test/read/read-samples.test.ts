import t from 'tap'
import type { JsonText, PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import { createSql } from '@tidings/service-kit'
import { readPosition } from '../../src/db/projector-position.ts'
import { projectBatch } from '../../src/projector/project-batch.ts'
import { readSamples, selectSamples } from '../../src/read/read-samples.ts'
import { readTimeline } from '../../src/read/timeline.ts'
import { startApp, startServers } from '../setup.ts'

const { env } = await startServers(t)
const app = await startApp(t, env)
await app.close() // only the tables are needed; its projector does not move the position
const sql = createSql(env.DATABASE_URL as string, { max: 2 })
t.teardown(() => sql.end({ timeout: 5 }))
const start = Date.now() - 3_600_000
const eventOf = (jobId: string, at: number, fields: Partial<PublishedJobEvent> = {}): PublishedJobEvent => ({
  v: 1,
  type: 'progress',
  queue: 'q',
  jobId,
  generation: `${start}-0`,
  created: start,
  name: 'n',
  userId: '7',
  timestamp: start + at,
  eventId: `${start + at}-0`,
  progress: String(at / 100) as JsonText,
  ...fields
})
let position = await readPosition(sql)
let seq = 0

/** Projects events in batches of a size, as several replicas would: nothing is remembered between two batches. */
async function project (events: PublishedJobEvent[], size = events.length): Promise<void> {
  for (let i = 0; i < events.length; i += size) {
    const batch = events.slice(i, i + size)
    const to = { ms: eventIdOf(batch.at(-1)?.eventId as string).ms, seq: ++seq }
    if (!await projectBatch(sql, { from: position, to, events: batch })) throw new Error('The position has moved')
    position = to
  }
}

const keyOf = async (id: string) => {
  const [row] = await sql<[{ n: number, state: number, created_ms: number, generation_ms: number }]>`
    select n, state, created_ms, generation_ms from jobs.jobs where id = ${id}`
  return row
}
const samplesOf = async (id: string) =>
  (await readSamples(sql, await keyOf(id))).map(text => (JSON.parse(text) as { progress: unknown }).progress)
const progressOf = (jobId: string, count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => eventOf(jobId, (first + i) * 100))

const range = (count: number, step = 1) => Array.from({ length: count }, (_, i) => i * step)

t.test('all samples are read up to 200, wherever they are', async t => {
  await project(progressOf('few', 10), 1)
  t.equal((await sql`select from jobs.timeline where samples is not null`).length, 0, 'the row has them')
  t.same(await samplesOf('few'), range(10))
  await project(progressOf('few', 190, 10), 7)
  t.same(await samplesOf('few'), range(200))
  await project([eventOf('few', 20_000, { type: 'completed', result: '1' as JsonText })])
  t.same((await sql`select samples from jobs.jobs where id = 'few'`), [{ samples: null }])
  t.same(await samplesOf('few'), range(200))
  const { events } = await readTimeline(sql, await keyOf('few'))
  t.same(events.map(({ type }) => type), ['completed'], 'lines of samples are no events')
})

t.test('of more at most 200 are read: the first, the last, and others at one distance', async t => {
  await project(progressOf('many', 1000), 100)
  t.same(await samplesOf('many'), [...range(125, 8), 999])
  await project([eventOf('many', 100_000, { type: 'failed', error: 'x' })])
  await project([eventOf('many', 100_100, { type: 'waiting', reopened: true })])
  await project(progressOf('many', 9, 1002))
  t.same(await samplesOf('many'), [...range(125, 8), 1002, 1010], 'a retry goes on')
  await sql`insert into jobs.timeline_kept select * from jobs.timeline where job = ${(await keyOf('many')).n}`
  t.same(await samplesOf('many'), [...range(125, 8), 1002, 1010], 'lines that are in two tables are read once')
  for (const count of [200, 201, 399, 401]) {
    const id = `of ${count}`
    await project(progressOf(id, count), 50)
    const samples = await samplesOf(id)
    t.ok(samples.length <= 200 && samples.length > 100, `${samples.length} of ${count}`)
    t.same([samples[0], samples.at(-1)], [0, count - 1])
  }
})

t.test('a job without progress has none, and a long progress is left out', async t => {
  await project([eventOf('none', 0, { type: 'active' })])
  t.same(await samplesOf('none'), [])
  await project([eventOf('long', 0, { progress: `"${'x'.repeat(600)}"` as JsonText })])
  t.same(await readSamples(sql, await keyOf('long')), [`{"timestamp":${start},"progress":null,"progressTruncated":true}`])
})

t.test('samples are found by the index of each day', async t => {
  const job = await keyOf('many')
  await sql`analyze jobs.timeline, jobs.timeline_kept`
  await sql`set enable_seqscan = off` // the tables are small
  const [row] = await sql`explain (format json) ${selectSamples(sql, job, 8)}`
  const text = JSON.stringify(row)
  t.notMatch(text, /Seq Scan/)
})
