import { once } from 'node:events'
import { startRedis, until } from '@tidings/testing'
import type { TestContext, TestRedis } from '@tidings/testing'
import { Queue } from 'bullmq'
import t from 'tap'
import { cancellableWorker } from '../src/cancel-signal.ts'
import type { CancellableProcessor } from '../src/cancel-signal.ts'

const DAY_MS = 86_400_000

t.test('cancels of active jobs', async t => {
  const redis = await startRedis(t)

  t.test('a message ends its job only, without further attempts', async t => {
    const { queue, jobs, worker, client, cancel } = setup(t, redis, { process: untilAborted, concurrency: 2 })
    const [job, other] = await Promise.all([queue.add('long', {}, { attempts: 3 }), queue.add('long', {})])
    await until(() => jobs.size === 2)
    await subscribed(client, queue.name)

    const failed = once(worker, 'failed')
    await cancel(job)
    await failed

    t.equal(await job.getState(), 'failed')
    t.match(await queue.getJob(job.id as string), { failedReason: 'Cancelled by user', attemptsMade: 1 })
    t.equal(await other.getState(), 'active')
    await cancel(other)
  })

  t.test('a job that was cancelled before its start does not run', async t => {
    const { queue, jobs, worker, client } = setup(t, redis, { process: untilAborted })
    await worker.pause()
    const job = await queue.add('long', {})
    await client.set(`{tidings}:cancel:${queue.name}:${job.id}`, job.timestamp, 'PX', DAY_MS)

    const failed = once(worker, 'failed')
    await worker.resume()
    await failed

    t.equal((await queue.getJob(job.id as string))?.failedReason, 'Cancelled by user')
    t.equal(jobs.size, 0)
  })

  t.test('cancelling an earlier job with the same id does not cancel the next one', async t => {
    const { queue, worker, client } = setup(t, redis, { process: async () => 'done' })
    await client.set(`{tidings}:cancel:${queue.name}:again`, Date.now() - 5000, 'PX', DAY_MS)
    const completed = once(worker, 'completed')
    const job = await queue.add('short', {}, { jobId: 'again' })
    await completed
    t.equal(await job.getState(), 'completed')
  })

  t.test('a lost message is recovered from the key after a reconnect', async t => {
    const { queue, jobs, worker, client } = setup(t, redis, { process: untilAborted })
    worker.on('error', () => {})
    const job = await queue.add('long', {})
    await until(() => jobs.size === 1)
    await subscribed(client, queue.name)

    const failed = once(worker, 'failed')
    await client.set(`{tidings}:cancel:${queue.name}:${job.id}`, job.timestamp, 'PX', DAY_MS) // without a message
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await failed

    t.equal((await queue.getJob(job.id as string))?.failedReason, 'Cancelled by user')
  })

  t.test('a job that ignores its signal completes', async t => {
    const gate = Promise.withResolvers<void>()
    const { queue, jobs, worker, client, cancel } = setup(t, redis, { process: () => gate.promise })
    const job = await queue.add('deaf', {})
    await until(() => jobs.size === 1)
    await subscribed(client, queue.name)

    const completed = once(worker, 'completed')
    await cancel(job)
    await until(() => jobs.get(job.id as string)?.aborted)
    gate.resolve()
    await completed

    t.equal(await job.getState(), 'completed')
  })

  t.test('an error of the job itself is kept, with its remaining attempts', async t => {
    const { queue, worker } = setup(t, redis, { process: async () => { throw new Error('disk full') } })
    const failed = once(worker, 'failed')
    const job = await queue.add('faulty', {}, { attempts: 3, backoff: 60_000 })
    const [, error] = await failed

    t.equal(error.message, 'disk full')
    t.equal(await job.getState(), 'delayed')
  })

  t.test('cancelling a job of another queue or another worker changes nothing', async t => {
    const { queue, jobs, client, cancel } = setup(t, redis, { process: untilAborted })
    const job = await queue.add('long', {})
    await until(() => jobs.size === 1)
    await subscribed(client, queue.name)

    await client.publish('{tidings}:cancel:another', job.id as string)
    await cancel({ id: 'no-such-job' })
    t.equal(await job.getState(), 'active')
    t.equal(jobs.get(job.id as string)?.aborted, false)
    await cancel(job)
  })

  t.test('a message of a system in another database of the same Redis ends no job', async t => {
    const { queue, jobs, client, cancel } = setup(t, redis, { process: untilAborted })
    const elsewhere = redis.client({ db: 3 })
    const job = await queue.add('long', {})
    await until(() => jobs.size === 1)
    await subscribed(client, queue.name)

    await elsewhere.multi()
      .set(`{tidings}:cancel:${queue.name}:${job.id}`, job.timestamp, 'PX', DAY_MS)
      .publish(`{tidings}:cancel:${queue.name}`, job.id as string)
      .exec()
    await client.publish(`{tidings}:cancel:${queue.name}`, 'nonsense')
    await client.get('anything') // the worker has read the keys for the messages before this command
    t.equal(jobs.get(job.id as string)?.aborted, false)
    await cancel(job)
    await until(() => jobs.get(job.id as string)?.aborted)
  })

  t.test('closing the worker closes its subscription', async t => {
    const { queue, worker, client } = setup(t, redis, { process: untilAborted })
    await subscribed(client, queue.name)
    await worker.close()
    await until(async () => await listeners(client, queue.name) === 0)
  })
})

const untilAborted: CancellableProcessor<unknown, unknown> = async (_job, signal) => {
  if (!signal.aborted) await once(signal, 'abort')
  signal.throwIfAborted()
}

let queues = 0

interface Options {
  process: CancellableProcessor<unknown, unknown>
  concurrency?: number
}

function setup (t: TestContext, redis: TestRedis, { process, concurrency = 1 }: Options) {
  const name = `queue-${++queues}`
  const client = redis.client()
  const connection = redis.client({ maxRetriesPerRequest: null })
  const queue = new Queue(name, { connection })
  const jobs = new Map<string, AbortSignal>()
  const worker = cancellableWorker(name, (job, signal) => {
    jobs.set(job.id as string, signal)
    return process(job, signal)
  }, { connection, concurrency })
  t.teardown(async () => {
    worker.cancelAllJobs('the test is over')
    await worker.close()
    await queue.close()
  })

  /** Cancels as jobs-api does. */
  const cancel = async ({ id: jobId, timestamp = 0 }: { id?: string | undefined, timestamp?: number }) => {
    await client.multi()
      .set(`{tidings}:cancel:${name}:${jobId}`, timestamp, 'PX', DAY_MS)
      .publish(`{tidings}:cancel:${name}`, String(jobId))
      .exec()
  }
  return { queue, worker, jobs, client, cancel }
}

type Client = ReturnType<TestRedis['client']>

async function listeners (client: Client, queue: string) {
  const [, count] = await client.pubsub('NUMSUB', `{tidings}:cancel:${queue}`) as [string, number]
  return Number(count)
}

async function subscribed (client: Client, queue: string) {
  await until(async () => await listeners(client, queue) === 1)
}
