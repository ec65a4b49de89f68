import t from 'tap'
import { until } from '@tidings/testing'
import { producer } from '../bullmq.ts'
import { jobRows, untilStates } from '../job-rows.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'

const QUICK = {
  SWEEP_AGE_MS: '200', SWEEP_INTERVAL_MS: '100', RECONCILE_SILENT_MS: '300', RECONCILE_INTERVAL_MS: '100'
}

t.test('rows whose hash holds unexpected values end, and do not block their page', async t => {
  const { app, redis, database } = await setup(t, { ...QUICK, SWEEP_AGE_MS: '3600000' })
  const queue = producer(t, redis)
  const client = redis.client()
  const odd: Record<string, string>[] = [
    { returnvalue: 'NaN' }, { returnvalue: '{"a":' }, { returnvalue: '"a\0b"' },
    { returnvalue: '1', finishedOn: 'junk' }, { returnvalue: '1', finishedOn: '1e300' },
    { returnvalue: '1', finishedOn: '-7' }, { returnvalue: '1', timestamp: 'x' },
    { returnvalue: '['.repeat(20_000) + ']'.repeat(20_000) }, { returnvalue: '"good"' }
  ]
  await queue.pause()
  const ids: string[] = []
  for (const [i] of odd.entries()) ids.push(await submit(app, { user: i }))
  await untilStates(database.sql, odd.map(() => 'waiting'))
  // Finished without an entry, as after a gap.
  for (const [i, id] of ids.entries()) {
    await client.hset(`bull:default:${id}`, { finishedOn: String(Date.now()), ...odd[i] })
    await client.zadd('bull:default:completed', Date.now(), id)
  }
  const rows = await untilStates(database.sql, odd.map(() => 'completed'))
  t.equal(rows.at(-1)?.result, 'good')
  t.equal(rows[0]?.result, 'NaN', 'a text that is not JSON is shown as a text')
})

t.test('a key of another type in place of a job counts as missing', async t => {
  const { app, redis, database } = await setup(t, { ...QUICK, SWEEP_AGE_MS: '3600000' })
  const queue = producer(t, redis)
  const client = redis.client()
  await queue.pause()
  const [bad, good] = [await submit(app), await submit(app)]
  // Both events of both, since otherwise the rows would be written again.
  await until(async () => (await database.sql`select from jobs.timeline`).length === 4)
  await database.sql`update jobs.jobs set attempts_made = 1` // so that it counts as started: it is not added again
  await client.del(`bull:default:${bad}`)
  await client.lpush(`bull:default:${bad}`, 'x')
  await client.del(`bull:default:${good}`)
  const rows = await untilStates(database.sql, ['failed', 'failed'])
  t.ok(rows.every(({ failed_reason: reason }) => reason === 'Lost by the queue'))
})

t.test('a job that BullMQ refuses ends with the reason, and later jobs of the outbox are added', async t => {
  const { app, redis, database } = await setup(t, { ...QUICK, RECONCILE_SILENT_MS: '3600000' })
  // Before the rows, which may be counted out as soon as they are there.
  await database.sql`insert into jobs.counts values ('7', 0, 3)`
  const row = (id: string, options: string) => database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, ours, data, options)
    values ('default', ${id}, '7', 'work', ${Date.now() - 60_000}, true, '{"userId":7}', ${options}::text::json)`
  await row('bad', '{"priority":99999999}')
  await row('odd', '{"delay":"soon"}')
  await row('good', '{}')
  await until(async () => {
    const rows = await jobRows(database.sql)
    return rows.length === 3 && rows[0]?.state === 'failed' && rows[2]?.state === 'waiting' &&
      (await database.sql`select from jobs.jobs where id = 'good' and event_ms is not null`).length === 1
  })
  const [bad] = await jobRows(database.sql)
  t.match(bad?.failed_reason, /^The queue refused the job: .*[Pp]riority/)
  await until(async () =>
    (await database.sql`select from jobs.bad_items where consumer = 'outbox' and job_id = 'bad'`).length === 1)
  t.ok(await redis.client().exists('bull:default:good'))
  t.ok(app)
})
