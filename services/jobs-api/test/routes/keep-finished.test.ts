import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { worker } from '../bullmq.ts'
import { setup } from '../setup.ts'

const headers = { authorization: `Bearer ${tokenOf(1)}` }

t.test('BullMQ keeps only the configured number of finished jobs, and Postgres keeps them all', async t => {
  const { app, redis } = await setup(t, { JOBS_KEEP_FINISHED_COUNT: '2', JOBS_KEEP_FINISHED_MS: '90000' })
  const submitted = await app.inject({
    method: 'POST', url: '/submit-jobs', headers, payload: { jobs: Array.from({ length: 5 }, () => ({ name: 'work' })) }
  })
  const ids = (submitted.json().jobs as { jobId: string }[]).map(({ jobId }) => jobId)
  const queue = app.findQueue('default')
  const job = await until(async () => await queue.getJob(ids[0] as string))
  t.match(job?.opts, { removeOnComplete: { age: 90, count: 2 }, removeOnFail: { age: 90, count: 2 } })

  worker(t, redis, async () => 'done')
  const stateOf = async (id: string) => (await app.inject({ url: `/jobs/${id}`, headers })).json().state
  for (const id of ids) await until(async () => await stateOf(id) === 'completed')
  t.equal(await queue.getCompletedCount(), 2)
})
