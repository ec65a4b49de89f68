import { stat } from 'node:fs/promises'
import type { Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { cancellableWorker } from './cancel-signal.ts'
import { readConfig } from './config.ts'
import { connect } from './connect.ts'
import { processJob } from './process-job.ts'
import type { JobData } from './process-job.ts'
import type { Summary } from './summarize.ts'

start().catch(fail)

async function start () {
  const config = readConfig(process.env)
  const folder = await stat(config.folder).catch(() => undefined)
  if (!folder?.isDirectory()) throw new Error(`CSV_FOLDER is not a folder: ${config.folder}`)
  const connection = await connect(config.redisUrl, config.redisWaitSeconds)

  const worker = cancellableWorker<JobData, Summary>(
    config.queue,
    (job, signal) => processJob(config.folder, job, signal),
    { connection, concurrency: config.concurrency })

  worker.on('completed', (job, result) => console.log(`job ${job.id}: ${result.file}: ${result.rows} rows`))
  worker.on('failed', (job, error) => console.error(`job ${job?.id}: ${error.message}`))
  // While Redis is down every connection of BullMQ reports it; connect.ts prints it once.
  worker.on('error', error => { if (connection.status === 'ready') console.error(error) })

  // `once`: a second Ctrl-C kills the process.
  const stopAll = () => { stop(worker, connection, config.drainSeconds).catch(fail) }
  process.once('SIGTERM', stopAll)
  process.once('SIGINT', stopAll)

  await worker.waitUntilReady()
  console.log(`csv-worker: waiting for jobs of queue ${config.queue}, files in ${config.folder}`)
}

/** Stops taking jobs, finishes the active ones and lets the process exit with 0, or with 1 when they take too long. */
async function stop (worker: Worker, connection: Redis, drainSeconds: number) {
  if (connection.status !== 'ready') leave('Redis is away')
  setTimeout(leave, drainSeconds * 1000, `not finished after ${drainSeconds} s`).unref()

  console.log('csv-worker: finishing the jobs under way')
  await worker.close()
  connection.disconnect()
}

/** The locks of the active jobs expire, and BullMQ gives them to another worker. */
function leave (reason: string) {
  fail(new Error(`${reason}; leaving what is under way to another worker`))
}

function fail (error: Error) {
  console.error(`csv-worker: ${error.message}`)
  process.exit(1)
}
