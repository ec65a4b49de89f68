// A BullMQ worker as users write it: its jobs report progress and complete. The throttle decides when.
import { Worker } from 'bullmq'
import type { Job } from 'bullmq'
import { now } from '../../clock.ts'
import { marked } from '../mark.ts'
import { notify, serve } from '../serve.ts'
import { rateThrottle, windowThrottle } from './throttle.ts'
import type { Throttle } from './throttle.ts'

const CONCURRENCY = 200
/** The bench polls for the event at this share of the run: it is notified of the event's job. */
const POLLED_SHARE = 0.9

export type Pace = { window: number } | { perSecond: number }
export interface WorkerRun { run: number, events: number, eventsPerJob: number }

interface Data { run: number, job: number }

/** A run whose jobs wait until they get their throttle. */
interface Running extends WorkerRun {
  throttle: Promise<Throttle>
  start: (throttle: Throttle) => void
  emitted: number
}

let running: Running | undefined
let current: Throttle | undefined
const workers = new Map<string, Worker>()

const commands = {
  /** Starts to process the jobs of these queues; jobs that belong to no run end at once. */
  work: async ({ redisUrl, queues }: { redisUrl: string, queues: string[] }) => {
    for (const queue of queues) {
      const connection = { url: redisUrl, maxRetriesPerRequest: null }
      const worker = new Worker<Data>(queue, processJob, { connection, concurrency: CONCURRENCY })
      worker.on('error', err => console.error(err))
      await worker.waitUntilReady()
      workers.set(queue, worker)
    }
  },
  /** Makes the jobs of this run wait for `start`. */
  prepare: (run: WorkerRun) => {
    const { promise: throttle, resolve: start } = Promise.withResolvers<Throttle>()
    running = { ...run, throttle, start, emitted: 0 }
  },
  start: (pace: Pace) => {
    current = 'window' in pace ? windowThrottle(pace.window) : rateThrottle(pace.perSecond)
    running?.start(current)
    return now()
  },
  arrived: (count: number) => current?.arrived(count),
  finish: () => {
    current?.disable()
    return running?.emitted ?? 0
  },
  /** Stops processing these queues. */
  leave: async (queues: string[]) => {
    await Promise.all(queues.map(async queue => await workers.get(queue)?.close(true)))
  }
}

export type WorkerCommands = typeof commands

async function processJob (job: Job<Data>) {
  const run = running
  if (run === undefined || job.data.run !== run.run) return 'of another run'
  const throttle = await run.throttle
  for (let event = 1; event < run.eventsPerJob; event++) {
    await throttle.acquire()
    await job.updateProgress(nextEvent(run, job))
  }
  await throttle.acquire()
  return nextEvent(run, job)
}

function nextEvent (run: Running, job: Job<Data>) {
  const seq = run.emitted++
  if (seq === Math.ceil(run.events * POLLED_SHARE)) notify({ job: job.data.job, seq })
  return marked({ run: run.run, seq, job: job.data.job, at: now() })
}

serve(commands)
