import { setTimeout as sleep } from 'node:timers/promises'
import type { Pace } from '../load/worker/process.ts'
import type { Arrivals } from '../load/tally.ts'
import { now } from '../clock.ts'
import { watchCpu } from '../stage/cpu-shares.ts'
import type { CpuShare } from '../stage/cpu-shares.ts'
import type { Side } from '../stage/side.ts'
import type { Stage } from '../stage/stage.ts'
import { seatAudience } from './audience.ts'
import { patienceMs } from './patience.ts'
import { middleRate } from './middle-rate.ts'
import { pollUntilTold } from './polled.ts'
import { submitJobs } from './submit.ts'
import type { SubmittedJob } from './submit.ts'

const EVENTS_PER_JOB = 50
const LOOK_MS = 10
const POLLED_WITHIN_MS = 10_000

export interface Drive {
  events: number
  eventsPerJob?: number
  pace: Pace
  /** Which channels are measured; both unless said otherwise. */
  channels?: ('sockets' | 'webhooks')[]
  /** Runs beside, with the time since the start at its disposal. */
  meanwhile?: () => Promise<unknown>
}

export interface Driven {
  jobs: SubmittedJob[]
  sockets: Arrivals
  webhooks: Arrivals
  /** Events a second over the middle of the run, of the slowest of sockets, webhooks and polling. */
  perSecond: number
  cpu: CpuShare[]
}

/** Runs jobs on a side and sees every event through to every channel. */
export async function drive (stage: Stage, side: Side, options: Drive): Promise<Driven> {
  const { events, eventsPerJob = EVENTS_PER_JOB, pace, meanwhile } = options
  const { worker, sockets, sink } = stage.loads
  await seatAudience(stage, side)
  await startWorking(stage, side)
  const run = stage.nextRun()
  const jobs = events / eventsPerJob
  if (!Number.isInteger(jobs)) throw new Error(`${events} events are no whole number of jobs of ${eventsPerJob}`)

  await worker.ask('prepare', { run, eventsPerJob, events })
  const submitted = await submitJobs(side, { run, jobs })
  await Promise.all([sockets, sink].map(load => load.ask('expect', { run, events, jobs })))
  const arrived = watchArrivals(stage, side, options)
  const polled = watchPolling(stage, side, submitted)
  const cpu = watchCpu([
    ...side.processes().map(process => ({ ...process, isLoad: false })),
    ...stage.loads.all.map(load => ({ ...load, isLoad: true }))
  ])
  await worker.ask('start', pace)
  await Promise.all([arrived, meanwhile?.()])
  const shares = cpu()
  await worker.ask('finish')
  const [atSockets, atWebhooks] = await Promise.all([sockets.ask('finish'), sink.ask('finish')])
  const channels = { sockets: atSockets, webhooks: atWebhooks }
  const rates = (options.channels ?? ['sockets', 'webhooks']).map(channel => middleRate(events, channels[channel]))
  const polledRate = options.channels === undefined ? middleRate(events, { tenth: atSockets.tenth, ninetieth: await Promise.race([polled, sleep(POLLED_WITHIN_MS, NaN)]) }) : Infinity
  return { ...channels, jobs: submitted, perSecond: Math.min(...rates, polledRate), cpu: shares }
}

const working = new Set<string>()

async function startWorking ({ loads, tidings }: Stage, { queue }: Side): Promise<void> {
  if (working.has(queue)) return
  working.add(queue)
  const { system } = await tidings()
  await loads.worker.ask('work', { redisUrl: system.endpoints.redis as string, queues: [queue] })
}

/** Resolves when all has arrived, or nothing more comes; lets the worker know how far the slower channel is. */
async function watchArrivals ({ loads, signal }: Stage, { name }: Side, { events, channels = ['sockets', 'webhooks'] }: Drive): Promise<void> {
  const counts = { sockets: 0, webhooks: 0 }
  let lastNews = now()
  const heard = (channel: 'sockets' | 'webhooks') => (count: unknown) => {
    counts[channel] = count as number
    lastNews = now()
    loads.worker.ask('arrived', Math.min(...channels.map(name => counts[name]))).catch(() => {})
  }
  loads.sockets.onNews(heard('sockets'))
  loads.sink.onNews(heard('webhooks'))
  const isMissing = () => channels.some(channel => counts[channel] < events)
  while (isMissing() && now() - lastNews < patienceMs(name) * 1000) await sleep(LOOK_MS, undefined, { signal })
}

/** When polling shows the event of which the worker tells in which job it is. */
function watchPolling ({ loads, signal }: Stage, side: Side, submitted: SubmittedJob[]): Promise<number> {
  return new Promise(resolve => {
    loads.worker.onNews(news => {
      const { job, seq } = news as { job: number, seq: number }
      const { id, user } = submitted[job] as SubmittedJob
      pollUntilTold({ url: `${side.jobs}/jobs/${id}`, token: side.token(user), seq, signal }).then(resolve, () => resolve(NaN))
    })
  })
}
