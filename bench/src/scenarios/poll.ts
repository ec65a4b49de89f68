import { runWorkload } from '../workload/run-workload.ts'
import { interleave } from '../workload/interleave.ts'
import type { SubmittedJob } from '../workload/submit.ts'
import { rates } from '../figures/rates.ts'
import type { SelectRouteCommands } from '../limits/select-route.ts'
import type { PollerLoad, Polled } from '../load/pollers/process.ts'
import { startLoad } from '../load/start-load.ts'
import { busiestLoad, watchCpu } from '../fixture/cpu-shares.ts'
import type { CpuShare } from '../fixture/cpu-shares.ts'
import type { Subject } from '../fixture/subject.ts'
import type { Fixture } from '../fixture/fixture.ts'
import type { Scenario } from './scenario.ts'

const JOBS = 400
const CONNECTIONS = 64
const WARM_UP_MS = 150
const DURATION_MS = 900
/** Rounds before the measurement: V8 keeps optimising a route for some tens of thousands of requests. */
const WARM_UP_ROUNDS = 5

type Requests = PollerLoad['requests']
interface Cell extends Polled { cpu: CpuShare[] }

/** GET /jobs/:id of finished jobs, with and without If-None-Match, and the first page of a list. */
export const poll: Scenario = {
  name: 'poll',
  title: '3 polling',
  run: async fixture => {
    const { subject: ours, system } = await fixture.tidings()
    const { subject: naive } = await fixture.monolith('naive')
    fixture.progress.status('poll: running the jobs to poll')
    const [ownJobs, naiveJobs] = [await finishedJobs(fixture, ours), await finishedJobs(fixture, naive)]
    const plainEntry = new URL('../limits/select-route.ts', import.meta.url)
    const plain = await startLoad<SelectRouteCommands>('select-route', plainEntry)
    const plainOrigin = await plain.ask('listen', {
      databaseUrl: system.endpoints.postgres as string,
      tokenSecret: fixture.tokenSecret,
      jobs: ownJobs.map(({ id, user }) => ({ id, userId: user }))
    })
    const ownRequests = requestsFor(ours, ownJobs)
    const etags = await fixture.loads.pollers.ask('etags', { origin: ours.jobs, requests: ownRequests })
    const conditional = ownRequests.map((request, index) => ({ ...request, etag: etags[index] as string }))

    const cells = {
      Tidings: () => ask(fixture, { origin: ours.jobs, requests: ownRequests, status: 200 }),
      unchanged: () => ask(fixture, { origin: ours.jobs, requests: conditional, status: 304 }),
      select: () => ask(fixture, { origin: plainOrigin, requests: ownRequests, status: 200 }),
      naive: () => ask(fixture, { origin: naive.jobs, requests: requestsFor(naive, naiveJobs), status: 200 }),
      list: () => ask(fixture, { origin: ours.jobs, requests: lists(ours), status: 200 }),
      naiveList: () => ask(fixture, { origin: naive.jobs, requests: lists(naive), status: 200 })
    }
    fixture.progress.status('poll: warming up')
    for (let round = 1; round <= WARM_UP_ROUNDS; round++) for (const cell of Object.values(cells)) await cell()
    const measured = await interleave(fixture, { title: 'poll', cells })
    await plain.stop()
    const row = (what: string, runs: Cell[], name: string, peer: Cell[]) =>
      ({
        scenario: '3',
        unit: '/s',
        what,
        ours: rates(runs),
        peer: { name, values: rates(peer) },
        ...busiestLoad(runs)
      })
    const { Tidings, unchanged, select, naive: byBullMQ, list, naiveList } = measured
    return {
      rows: [
        { ...row('GET /jobs/:id', Tidings, 'Fastify, JWT, one select', select), goal: { of: 'peer', atLeast: 2 } },
        row('GET /jobs/:id', Tidings, 'naive (Job.fromId)', byBullMQ),
        { ...row('GET /jobs/:id unchanged: 304', unchanged, 'our own 200', Tidings), goal: { of: 'peer', atLeast: 1 } },
        row('GET /jobs, a page of 10', list, 'naive', naiveList)
      ],
      broken: []
    }
  }
}

async function finishedJobs (fixture: Fixture, subject: Subject): Promise<SubmittedJob[]> {
  const { jobs } = await runWorkload(fixture, subject, { events: JOBS * 2, eventsPerJob: 2, pace: { window: 1_000 } })
  return jobs
}

async function ask (
  fixture: Fixture,
  { origin, requests, status }: { origin: string, requests: Requests, status: number }
): Promise<Cell> {
  const cpu = watchCpu([{ name: 'pollers', pid: fixture.loads.pollers.pid, isLoad: true }])
  const polled = await fixture.loads.pollers.ask('poll', {
    origin, requests, connections: CONNECTIONS, warmUpMs: WARM_UP_MS, durationMs: DURATION_MS
  })
  const others = Object.keys(polled.statuses).filter(seen => Number(seen) !== status)
  if (others.length > 0) throw new Error(`${origin} responded with ${others.join(', ')} instead of ${status}`)
  return { ...polled, cpu: cpu() }
}

function requestsFor (subject: Subject, jobs: SubmittedJob[]): Requests {
  return jobs.map(({ id, user }) => ({ path: `/jobs/${id}`, token: subject.token(user) }))
}

function lists (subject: Subject): Requests {
  return Array.from({ length: 200 }, (_, index) => ({ path: '/jobs?limit=10', token: subject.token(index + 1) }))
}
