import { drive } from '../drive/drive.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import type { SubmittedJob } from '../drive/submit.ts'
import { rates } from '../figures/rates.ts'
import type { SelectRouteCommands } from '../limits/select-route.ts'
import type { PollerLoad, Polled } from '../load/pollers/process.ts'
import { startLoad } from '../load/start-load.ts'
import { watchCpu } from '../stage/cpu-shares.ts'
import type { CpuShare } from '../stage/cpu-shares.ts'
import type { Side } from '../stage/side.ts'
import type { Stage } from '../stage/stage.ts'
import type { Scenario } from './scenario.ts'

const JOBS = 400
const CONNECTIONS = 64
const WARM_UP_MS = 150
const DURATION_MS = 900
/** Asked of each cell before it counts: V8 goes on compiling a route for some tens of thousands of requests. */
const WARM_UP_ROUNDS = 5

type Requests = PollerLoad['requests']
interface Cell extends Polled { cpu: CpuShare[] }

/** GET /jobs/:id of finished jobs, anew and unchanged, and the first page of a list. */
export const poll: Scenario = {
  name: 'poll',
  title: '3 polling',
  run: async stage => {
    const { side: ours, system } = await stage.tidings()
    const { side: naive } = await stage.monolith('naive')
    stage.progress.say('poll: finishing jobs to ask for')
    const [ownJobs, naiveJobs] = [await finishedJobs(stage, ours), await finishedJobs(stage, naive)]
    const plain = await startLoad<SelectRouteCommands>('select-route', new URL('../limits/select-route.ts', import.meta.url))
    const plainOrigin = await plain.ask('listen', {
      databaseUrl: system.endpoints.postgres as string,
      tokenSecret: stage.tokenSecret,
      jobs: ownJobs.map(({ id, user }) => ({ id, userId: user }))
    })
    const ownRequests = requestsFor(ours, ownJobs)
    const etags = await stage.loads.pollers.ask('etags', { origin: ours.jobs, requests: ownRequests })
    const conditional = ownRequests.map((request, index) => ({ ...request, etag: etags[index] as string }))

    const cells = {
      Tidings: () => ask(stage, { origin: ours.jobs, requests: ownRequests, status: 200 }),
      unchanged: () => ask(stage, { origin: ours.jobs, requests: conditional, status: 304 }),
      select: () => ask(stage, { origin: plainOrigin, requests: ownRequests, status: 200 }),
      naive: () => ask(stage, { origin: naive.jobs, requests: requestsFor(naive, naiveJobs), status: 200 }),
      list: () => ask(stage, { origin: ours.jobs, requests: lists(ours), status: 200 }),
      naiveList: () => ask(stage, { origin: naive.jobs, requests: lists(naive), status: 200 })
    }
    stage.progress.say('poll: warming up')
    for (let round = 1; round <= WARM_UP_ROUNDS; round++) for (const cell of Object.values(cells)) await cell()
    const { Tidings, unchanged: notModified, select, naive: byBullMQ, list, naiveList } = await interleave(stage, { title: 'poll', cells })
    await plain.stop()
    const row = { scenario: '3', unit: '/s', ours: rates(Tidings), ...loadOf(Tidings) }
    return {
      rows: [
        { ...row, what: 'GET /jobs/:id', peer: { name: 'Fastify, JWT, one select', values: rates(select) }, goal: { of: 'peer', atLeast: 2 } },
        { ...row, what: 'GET /jobs/:id', peer: { name: 'naive (Job.fromId)', values: rates(byBullMQ) } },
        { ...row, ours: rates(notModified), what: 'GET /jobs/:id unchanged: 304', peer: { name: 'our own 200', values: rates(Tidings) }, goal: { of: 'peer', atLeast: 1 }, ...loadOf(notModified) },
        { ...row, ours: rates(list), what: 'GET /jobs, a page of 10', peer: { name: 'naive', values: rates(naiveList) }, ...loadOf(list) }
      ],
      broken: []
    }
  }
}

async function finishedJobs (stage: Stage, side: Side): Promise<SubmittedJob[]> {
  const { jobs } = await drive(stage, side, { events: JOBS * 2, eventsPerJob: 2, pace: { window: 1_000 } })
  return jobs
}

async function ask (stage: Stage, { origin, requests, status }: { origin: string, requests: Requests, status: number }): Promise<Cell> {
  const cpu = watchCpu([{ name: 'pollers', pid: stage.loads.pollers.pid, isLoad: true }])
  const polled = await stage.loads.pollers.ask('poll', { origin, requests, connections: CONNECTIONS, warmUpMs: WARM_UP_MS, durationMs: DURATION_MS })
  const others = Object.keys(polled.statuses).filter(seen => Number(seen) !== status)
  if (others.length > 0) throw new Error(`${origin} answered ${others.join(', ')} where ${status} was due`)
  return { ...polled, cpu: cpu() }
}

function requestsFor (side: Side, jobs: SubmittedJob[]): Requests {
  return jobs.map(({ id, user }) => ({ path: `/jobs/${id}`, token: side.token(user) }))
}

function lists (side: Side): Requests {
  return Array.from({ length: 200 }, (_, index) => ({ path: '/jobs?limit=10', token: side.token(index + 1) }))
}
