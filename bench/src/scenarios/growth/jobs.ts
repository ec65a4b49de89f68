import postgres from 'postgres'
import type { Sql } from 'postgres'
import { interleave } from '../../drive/interleave.ts'
import { median } from '../../figures/percentile.ts'
import type { Row } from '../../figures/row.ts'
import type { Stage } from '../../stage/stage.ts'
import type { Result } from '../scenario.ts'

const SMALL = { user: 900_003, jobs: 1_000 }
const LARGE = { user: 900_006, jobs: 1_000_000 }
/** Its place in contracts' JOB_STATES. */
const COMPLETED = 3
const ASKED_IDS = 400
const CONNECTIONS = 8

/** Polls of a user with a thousand jobs and of one with a million. */
export async function manyJobs (stage: Stage): Promise<Result> {
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
