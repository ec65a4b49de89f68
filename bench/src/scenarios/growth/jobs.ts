import postgres from 'postgres'
import type { Sql } from 'postgres'
import { call } from '../../workload/call.ts'
import { interleave } from '../../workload/interleave.ts'
import { median } from '../../figures/percentile.ts'
import type { Row } from '../../figures/row.ts'
import type { Subject } from '../../fixture/subject.ts'
import type { Fixture } from '../../fixture/fixture.ts'
import type { Result } from '../scenario.ts'

const SMALL = { user: 900_003, jobs: 1_000 }
const LARGE = { user: 900_006, jobs: 1_000_000 }
/** Its index in JOB_STATES of @tidings/contracts. */
const COMPLETED = 3
const POLLED_IDS = 400
const CONNECTIONS = 8

/** Polls of a user with a thousand jobs, and of one with a million. */
export async function manyJobs (fixture: Fixture): Promise<Result> {
  const { subject, system } = await fixture.tidings()
  const sql = postgres(system.endpoints.postgres as string, { max: 1 })
  for (const { user, jobs } of [SMALL, LARGE]) {
    fixture.progress.status(`growth: a user with ${jobs} jobs`)
    await fill(sql, user, jobs)
  }
  await sql`vacuum analyze jobs.jobs`
  await sql.end()

  const ask = (user: number, paths: string[]) => async () => {
    const polled = await fixture.loads.pollers.ask('poll', {
      origin: subject.jobs,
      requests: paths.map(path => ({ path, token: subject.token(user) })),
      connections: CONNECTIONS,
      warmUpMs: 100,
      durationMs: 400
    })
    const statuses = Object.keys(polled.statuses).join(', ')
    if (statuses !== '200') throw new Error(`Polls got the statuses ${statuses}`)
    return median(polled.latencies)
  }
  const polls = {
    'GET /jobs/:id': ({ user, jobs }: typeof SMALL) => ids(jobs).map(id => `/jobs/${idOf(user, id)}`),
    'GET /jobs, 50': () => ['/jobs?limit=50', '/jobs?limit=50&status=completed'],
    'GET /jobs, 50 by cursor': async ({ user }: typeof SMALL) => [
      `/jobs?limit=50&cursor=${await middleCursor(subject, user)}`
    ],
    'GET /jobs/counts': () => ['/jobs/counts']
  }
  const rows: Row[] = []
  for (const [what, pathsOf] of Object.entries(polls)) {
    const { large, small } = await interleave(fixture, {
      title: `growth of a user's jobs, ${what}`,
      cells: { small: ask(SMALL.user, await pathsOf(SMALL)), large: ask(LARGE.user, await pathsOf(LARGE)) }
    })
    rows.push({
      scenario: '7',
      what: `p50 of ${what}, a user with 10⁶ jobs`,
      unit: 'ms',
      ours: large,
      peer: { name: 'our own, 10³ jobs', values: small },
      goal: { of: 'peer', atMost: 1.5 }
    })
  }
  return { rows, broken: [] }
}

/** The cursor of the ninth page. */
async function middleCursor (subject: Subject, user: number): Promise<string> {
  let cursor = ''
  for (let page = 0; page < 8; page++) {
    const url = `${subject.jobs}/jobs?limit=50${cursor && `&cursor=${cursor}`}`
    const { pagination } = await call<{ pagination: { next: string } }>(url, { token: subject.token(user) })
    cursor = encodeURIComponent(pagination.next)
  }
  return cursor
}

/** Inserts finished jobs as the projector would have written them. */
async function fill (sql: Sql, user: number, jobs: number): Promise<void> {
  await sql`
    insert into jobs.jobs (queue, id, user_id, name, state, progress, result, created_ms, started_ms, finished_ms, attempts_made, event_ms, event_seq, ours)
    select 'default', ${`${user}-`}::text || n, ${String(user)}, 'bench', ${COMPLETED}, '100', '{"rows": 1000}', at, at + 10, at + 1000, 1, at + 1000, 0, true
    from (select n, (extract(epoch from now()) * 1000)::bigint - n * 100 as at from generate_series(1, ${jobs}::int) n) job`
  await sql`insert into jobs.counts (user_id, state, count) values (${String(user)}, ${COMPLETED}, ${jobs})`
}

function ids (jobs: number): number[] {
  return Array.from({ length: POLLED_IDS }, (_, index) => 1 + Math.floor(index * jobs / POLLED_IDS))
}

function idOf (user: number, job: number): string {
  return `${user}-${job}`
}
