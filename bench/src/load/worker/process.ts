// A BullMQ worker as users write it: its jobs tell progress and complete. When they may is up to the gate.
import { Worker } from 'bullmq'
import type { Job } from 'bullmq'
import { now } from '../../clock.ts'
import { marked } from '../mark.ts'
import { serve, tell } from '../serve.ts'
import { rateGate, windowGate } from './gate.ts'
import type { Gate } from './gate.ts'

const CONCURRENCY = 200
/** Of this event the bench is told the job, to poll for it. */
const POLLED_SHARE = 0.9

export type Pace = { window: number } | { perSecond: number }
export interface WorkerRun { run: number, events: number, eventsPerJob: number }

interface Data { run: number, job: number }

/** A run whose jobs wait at the gate until it is opened. */
interface Running extends WorkerRun {
  gate: Promise<Gate>
  open: (gate: Gate) => void
  told: number
}

let running: Running | undefined
let openGate: Gate | undefined
const workers = new Map<string, Worker>()

const commands = {
  /** Takes the jobs of these queues; those of no run end at once. */
  work: async ({ redisUrl, queues }: { redisUrl: string, queues: string[] }) => {
    for (const queue of queues) {
      const worker = new Worker<Data>(queue, processJob, { connection: { url: redisUrl, maxRetriesPerRequest: null }, concurrency: CONCURRENCY })
      worker.on('error', err => console.error(err))
      await worker.waitUntilReady()
      workers.set(queue, worker)
    }
  },
  /** The jobs of this run will wait. */
  prepare: (run: WorkerRun) => {
    const { promise: gate, resolve: open } = Promise.withResolvers<Gate>()
    running = { ...run, gate, open, told: 0 }
  },
  start: (pace: Pace) => {
    openGate = 'window' in pace ? windowGate(pace.window) : rateGate(pace.perSecond)
    running?.open(openGate)
    return now()
  },
  arrived: (count: number) => openGate?.arrived(count),
  finish: () => {
    openGate?.close()
    return running?.told ?? 0
  },
  /** Takes no more jobs of these queues. */
  leave: async (queues: string[]) => {
    await Promise.all(queues.map(async queue => await workers.get(queue)?.close(true)))
  }
}

export type WorkerCommands = typeof commands

async function processJob (job: Job<Data>) {
  const run = running
  if (run === undefined || job.data.run !== run.run) return 'of another run'
  const gate = await run.gate
  for (let event = 1; event < run.eventsPerJob; event++) {
    await gate.pass()
    await job.updateProgress(nextEvent(run, job))
  }
  await gate.pass()
  return nextEvent(run, job)
}

function nextEvent (run: Running, job: Job<Data>) {
  const seq = run.told++
  if (seq === Math.ceil(run.events * POLLED_SHARE)) tell({ job: job.data.job, seq })
  return marked({ run: run.run, seq, job: job.data.job, at: now() })
}

serve(commands)
