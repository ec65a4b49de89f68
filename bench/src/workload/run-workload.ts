import { setTimeout as sleep } from 'node:timers/promises'
import type { Pace } from '../load/worker/process.ts'
import type { Arrivals } from '../load/tally.ts'
import { now } from '../clock.ts'
import { watchCpu } from '../fixture/cpu-shares.ts'
import type { CpuShare } from '../fixture/cpu-shares.ts'
import type { Subject } from '../fixture/subject.ts'
import type { Fixture } from '../fixture/fixture.ts'
import { openReceivers } from './receivers.ts'
import { middleRate } from '../figures/rates.ts'
import { stallTimeoutMs } from './losses.ts'
import { pollUntilEvent } from './poll-until-event.ts'
import { submitJobs } from './submit.ts'
import type { SubmittedJob } from './submit.ts'

const EVENTS_PER_JOB = 50
const CHECK_MS = 10
const POLLED_WITHIN_MS = 10_000

export interface Workload {
  events: number
  eventsPerJob?: number
  pace: Pace
  /** The channels that are measured; by default both, and polling. */
  channels?: ('sockets' | 'webhooks')[]
  /** Runs at the same time. */
  meanwhile?: () => Promise<unknown>
}

export interface WorkloadResult {
  jobs: SubmittedJob[]
  sockets: Arrivals
  webhooks: Arrivals
  /** Events per second over the middle of the run, at the slowest of sockets, webhooks and polling. */
  perSecond: number
  cpu: CpuShare[]
}

/** Runs jobs on a subject and waits until every event has reached every channel. */
export async function runWorkload (fixture: Fixture, subject: Subject, options: Workload): Promise<WorkloadResult> {
  const { events, eventsPerJob = EVENTS_PER_JOB, pace, meanwhile } = options
  const { worker, sockets, sink } = fixture.loads
  await openReceivers(fixture, subject)
  await startWorking(fixture, subject)
  const run = fixture.nextRun()
  const jobs = events / eventsPerJob
  if (!Number.isInteger(jobs)) {
    throw new Error(`${events} events are not a whole number of jobs of ${eventsPerJob} events`)
  }

  await worker.ask('prepare', { run, eventsPerJob, events })
  const submitted = await submitJobs(subject, { run, jobs })
  await Promise.all([sockets, sink].map(load => load.ask('expect', { run, events, jobs })))
  const arrived = watchArrivals(fixture, subject, options)
  const polled = watchPolling(fixture, subject, submitted)
  const cpu = watchCpu([
    ...subject.processes().map(process => ({ ...process, isLoad: false })),
    ...fixture.loads.all.map(load => ({ ...load, isLoad: true }))
  ])
  await worker.ask('start', pace)
  await Promise.all([arrived, meanwhile?.()])
  const shares = cpu()
  await worker.ask('finish')
  const [atSockets, atWebhooks] = await Promise.all([sockets.ask('finish'), sink.ask('finish')])
  const channels = { sockets: atSockets, webhooks: atWebhooks }
  const rates = (options.channels ?? ['sockets', 'webhooks']).map(channel => middleRate(events, channels[channel]))
  if (options.channels === undefined) {
    const ninetieth = await Promise.race([polled, sleep(POLLED_WITHIN_MS, NaN)])
    rates.push(middleRate(events, { tenth: atSockets.tenth, ninetieth }))
  }
  return { ...channels, jobs: submitted, perSecond: Math.min(...rates), cpu: shares }
}

const working = new Set<string>()

async function startWorking ({ loads, tidings }: Fixture, { queue }: Subject): Promise<void> {
  if (working.has(queue)) return
  working.add(queue)
  const { system } = await tidings()
  await loads.worker.ask('work', { redisUrl: system.endpoints.redis as string, queues: [queue] })
}

/**
 * Resolves when everything has arrived or nothing more comes; reports the count of the slower channel to the worker.
 */
async function watchArrivals ({ loads, signal }: Fixture, { name }: Subject, workload: Workload): Promise<void> {
  const { events, channels = ['sockets', 'webhooks'] } = workload
  const counts = { sockets: 0, webhooks: 0 }
  let lastArrival = now()
  const onCount = (channel: 'sockets' | 'webhooks') => (count: unknown) => {
    counts[channel] = count as number
    lastArrival = now()
    loads.worker.ask('arrived', Math.min(...channels.map(name => counts[name]))).catch(() => {})
  }
  loads.sockets.onNotification(onCount('sockets'))
  loads.sink.onNotification(onCount('webhooks'))
  const isMissing = () => channels.some(channel => counts[channel] < events)
  while (isMissing() && now() - lastArrival < stallTimeoutMs(name) * 1000) await sleep(CHECK_MS, undefined, { signal })
}

/** Resolves with the time at which polling shows the event that the worker names in its notification. */
function watchPolling ({ loads, signal }: Fixture, subject: Subject, submitted: SubmittedJob[]): Promise<number> {
  return new Promise(resolve => {
    loads.worker.onNotification(emitted => {
      const { job, seq } = emitted as { job: number, seq: number }
      const { id, user } = submitted[job] as SubmittedJob
      pollUntilEvent({ url: `${subject.jobs}/jobs/${id}`, token: subject.token(user), seq, signal })
        .then(resolve, () => resolve(NaN))
    })
  })
}
