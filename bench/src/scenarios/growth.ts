import postgres from 'postgres'
import type { Sql } from 'postgres'
import { receive } from '../drive/arrivals.ts'
import type { Received } from '../drive/arrivals.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { median } from '../figures/percentile.ts'
import type { Row } from '../figures/row.ts'
import { startAlone } from '../stage/alone.ts'
import type { AloneService } from '../stage/alone.ts'
import type { Stage } from '../stage/stage.ts'
import type { Result, Scenario } from './scenario.ts'

const SMALL = { user: 900_003, jobs: 1_000 }
const LARGE = { user: 900_006, jobs: 1_000_000 }
const COMPLETED = 3
const ASKED_IDS = 400
const CONNECTIONS = 8
const GATEWAYS = 4
const USERS = 200
const EVENTS = 40_000

/** What becomes of polls where a user has a million jobs, and of fan-out over four gateways. */
export const growth: Scenario = {
  name: 'growth',
  title: '7 growth',
  run: async stage => {
    const jobs = await jobsOfOneUser(stage)
    const gateways = await replicas(stage)
    return { rows: [...jobs.rows, ...gateways.rows], broken: [...jobs.broken, ...gateways.broken] }
  }
}

async function jobsOfOneUser (stage: Stage): Promise<Result> {
  const { side, system } = await stage.tidings()
  const sql = postgres(system.endpoints.postgres as string, { max: 1 })
  for (const { user, jobs } of [SMALL, LARGE]) {
    stage.progress.say(`growth: a user with ${jobs} jobs`)
    await fill(sql, user, jobs)
  }
  await sql`vacuum analyze jobs.jobs`
  await sql.end()

  const ask = (user: number, paths: string[]) => async () => {
    const polled = await stage.loads.pollers.ask('poll', {
      origin: side.jobs, requests: paths.map(path => ({ path, token: side.token(user) })), connections: CONNECTIONS, warmUpMs: 200, durationMs: 800
    })
    if (Object.keys(polled.statuses).join() !== '200') throw new Error(`A poll was answered ${Object.keys(polled.statuses).join(', ')}`)
    return median(polled.latencies)
  }
  const list = ['/jobs?limit=50', '/jobs?limit=50&status=completed']
  const { small, large, smallList, largeList } = await interleave(stage, {
    title: 'growth of a user\'s jobs',
    cells: {
      small: ask(SMALL.user, ids(SMALL.jobs).map(id => `/jobs/${idOf(SMALL.user, id)}`)),
      large: ask(LARGE.user, ids(LARGE.jobs).map(id => `/jobs/${idOf(LARGE.user, id)}`)),
      smallList: ask(SMALL.user, list),
      largeList: ask(LARGE.user, list)
    }
  })
  const row = (what: string, ours: number[], few: number[]): Row => ({
    scenario: '7', what: `p50 of ${what}, a user with 10⁶ jobs`, unit: 'ms', ours, peer: { name: 'our own, 10³ jobs', values: few }, goal: { of: 'peer', atMost: 1.5 }
  })
  return { rows: [row('GET /jobs/:id', large, small), row('GET /jobs, 50', largeList, smallList)], broken: [] }
}

/** Finished jobs as the projector would have left them. */
async function fill (sql: Sql, user: number, jobs: number): Promise<void> {
  await sql`
    insert into jobs.jobs (queue, id, user_id, name, state, progress, result, created_ms, started_ms, finished_ms, attempts_made, event_ms, event_seq, ours)
    select 'default', ${`${user}-`}::text || n, ${String(user)}, 'bench', ${COMPLETED}, '100', '{"rows": 1000}', at, at + 10, at + 1000, 1, at + 1000, 0, true
    from (select n, (extract(epoch from now()) * 1000)::bigint - n * 100 as at from generate_series(1, ${jobs}::int) n) job`
  await sql`insert into jobs.counts (user_id, state, count) values (${String(user)}, ${COMPLETED}, ${jobs})`
}

function ids (jobs: number): number[] {
  return Array.from({ length: ASKED_IDS }, (_, index) => 1 + Math.floor(index * jobs / ASKED_IDS))
}

function idOf (user: number, job: number): string {
  return `${user}-${job}`
}

/** The same users on one gateway and spread over four, each of which reads the whole stream. */
async function replicas (stage: Stage): Promise<Result> {
  stage.progress.say(`growth: starting ${GATEWAYS + 1} gateways`)
  const alone = await startGateways(stage, { count: 1, redisDatabase: 6 })
  const together = await startGateways(stage, { count: GATEWAYS, redisDatabase: 7 })
  const cells = { one: () => drain(stage, alone), four: () => drain(stage, together) }
  for (const warmUp of Object.values(cells)) await warmUp()
  const { one, four } = await interleave(stage, { title: `growth to ${GATEWAYS} gateways`, cells })
  await Promise.all([...alone, ...together].map(gateway => gateway.stop()))
  const rates = (runs: Received[]) => runs.map(({ perSecond }) => perSecond)
  return {
    rows: [{
      scenario: '7', what: `fan-out over ${GATEWAYS} gateways on one machine`, unit: 'frames/s', ours: rates(four), peer: { name: 'our own, 1 gateway', values: rates(one) }, ...loadOf(four)
    }],
    broken: [...one, ...four].filter(({ lost, doubled }) => lost + doubled > 0).map(({ lost, doubled }) => `growth to ${GATEWAYS} gateways: ${lost} frames lost, ${doubled} doubled`)
  }
}

/** Gateways with a stream of their own; each has its share of the users for as long as it runs. */
async function startGateways (stage: Stage, { count, redisDatabase }: { count: number, redisDatabase: number }): Promise<AloneService[]> {
  const gateways = await Promise.all(Array.from({ length: count }, () => startAlone(stage, { name: 'realtime-gateway', redisDatabase })))
  for (const [index, { origin, token }] of gateways.entries()) {
    const users = Array.from({ length: USERS / count }, (_, user) => index * USERS / count + user + 1)
    await stage.loads.sockets.ask('open', { name: origin, url: origin, protocol: 'tidings', tokens: users.map(token) })
  }
  return gateways
}

async function drain (stage: Stage, gateways: AloneService[]): Promise<Received> {
  const { relay, sockets } = stage.loads
  const run = stage.nextRun()
  for (const gateway of gateways) gateway.pause()
  await relay.ask('connect', (gateways[0] as AloneService).redisUrl)
  await relay.ask('append', { run, events: EVENTS, users: USERS })
  return await receive(stage, {
    at: sockets,
    expected: { run, events: EVENTS, jobs: USERS },
    send: () => { for (const gateway of gateways) gateway.resume() },
    watched: []
  })
}
