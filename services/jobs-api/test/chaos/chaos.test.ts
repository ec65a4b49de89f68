import t from 'tap'
import { fileURLToPath } from 'node:url'
import { Job, type Queue } from 'bullmq'
import { relayPositionKey, JOB_EVENTS_KEY } from '@tidings/contracts'
import { createSql } from '@tidings/service-kit'
import { spawnService, until, type TestContext } from '@tidings/testing'
import type { Redis } from 'ioredis'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { readPosition } from '../../src/db/projector-position.ts'
import { producer } from '../bullmq.ts'
import { jobRows, type JobRow } from '../job-rows.ts'
import { startReplica } from '../replica.ts'
import { startServers } from '../setup.ts'
import { publishedEvents, historyOf, type SeenEvent } from '../published-events.ts'
import { load } from './load.ts'
import { random } from './random.ts'
import { expectedLines, linesOf, readRecord, standings, type Standing } from './record.ts'
import { countHandOvers, makeTrouble } from './trouble.ts'

/**
 * `npm run chaos-services` sets CHAOS=long: a minute of load from a random seed. `npm test` has ten seconds from a
 * fixed one.
 */
const isLong = process.env.CHAOS === 'long'
const LOAD_MS = Number(process.env.CHAOS_MS ?? (isLong ? 60_000 : 10_000))
const WORKERS = 4
const CONCURRENCY = 50
const CLIENTS = 24
/** The relay moves to the other replica at least this often, even on a slow machine. */
const HAND_OVERS = isLong ? 3 : 1
const LONGEST_LOAD_MS = 3 * LOAD_MS
/** Jobs must settle; no assertion depends on how fast. */
const QUIET_MS = 240_000
t.setTimeout(900_000)

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))
const startWorker = async (t: TestContext, redisUrl: string) => await spawnService(t, {
  entry: WORKER, env: { REDIS_URL: redisUrl, CONCURRENCY: String(CONCURRENCY) }
})

t.test('with replicas and workers killed and frozen at random no event is lost, doubled or out of order', async t => {
  const seed = Number(process.env.CHAOS_SEED ?? (isLong ? Date.now() % 1_000_000 : 1))
  t.comment(`CHAOS_SEED=${seed}`)
  const { redis, env, database } = await startServers(t)
  const settings = {
    ...env, RELAY_EVENTS_BEHIND: '1000000', RECONCILE_SILENT_MS: '3600000', SWEEP_AGE_MS: '500', RATE_LIMIT_MAX: '0'
  }
  const replicas = await Promise.all([startReplica(t, settings), startReplica(t, settings)])
  const workers = await Promise.all(Array.from({ length: WORKERS }, async () => await startWorker(t, redis.url)))
  const admin = redis.client()
  const relays = countHandOvers(admin)
  t.teardown(relays.stop)

  const begin = Date.now()
  let isAnyOver = false
  const isOver = () => {
    const ms = Date.now() - begin
    return isAnyOver || ms > LONGEST_LOAD_MS || (ms > LOAD_MS && relays.handOvers >= HAND_OVERS)
  }
  const [ids, ofReplicas, ofWorkers] = await Promise.all([
    load({ replicas, clients: CLIENTS, seed, isOver }),
    makeTrouble({
      processes: replicas,
      start: async () => await startReplica(t, settings),
      chance: random(seed + 1),
      pauseMs: [1000, 4000],
      isOver
    }),
    makeTrouble({
      processes: workers,
      start: async () => await startWorker(t, redis.url),
      chance: random(seed + 2),
      pauseMs: [3000, 9000],
      isOver
    })
  ]).finally(() => { isAnyOver = true }) // if one of them failed the others end too
  relays.stop()
  t.ok(relays.handOvers >= HAND_OVERS, `the relay changed hands ${relays.handOvers} times`)

  const queue = producer(t, redis, 'default', { skipMetasUpdate: true })
  const sql = createSql(database.url, { max: 1 })
  t.teardown(() => sql.end())
  await until(async () => await isSettled(sql, queue), {
    timeoutMs: QUIET_MS, intervalMs: 250, what: 'all jobs to end'
  })
  await Promise.all(workers.map(async worker => await worker.kill('SIGTERM'))) // after their last events
  await until(async () => await isCaughtUp(admin, sql), {
    timeoutMs: QUIET_MS, intervalMs: 100, what: 'relay and projector to reach the end'
  })

  const [record, events, rows] = [await readRecord(admin), await publishedEvents(admin), await jobRows(database.sql)]
  const failed = rows.filter(({ state }) => state === 'failed').length
  t.comment(`${rows.length} jobs, ${record.length} events by the record, ${events.length} in the stream, ${failed} failed`)
  t.comment(`replicas: ${JSON.stringify(ofReplicas)}, ${relays.handOvers} hand-overs of the relay`)
  t.comment(`workers: ${JSON.stringify(ofWorkers)}`)

  const [relayed, made] = [
    events.filter(({ reconciled }) => !reconciled), events.filter(({ reconciled }) => reconciled)
  ]
  t.equal(
    firstDifference(linesOf(relayed), expectedLines(record)), undefined,
    'the stream is BullMQ\'s record, each once and in order'
  )
  t.same(
    made.filter(event => !isCancelledUnseen(event, events)), [],
    'only the end of a job that was cancelled before Redis accepted it has no entry'
  )

  t.same(new Set(rows.map(({ id }) => id)), new Set(ids), 'each accepted job has a row, and there is no other')
  t.equal(rows.length, ids.length)
  const expected = standings(record)
  t.same(rows.flatMap(row => faultsOf(row, expected.get(row.id))), [], 'rows match the record')
  t.same(await disagreements(rows, queue), [], 'and the state in BullMQ')
  t.same(await compareCounts(sql), [], 'counters equal a full count')
  for (const user of new Set(rows.map(({ user_id: user }) => user))) {
    const history = (await historyOf(admin, user)).map(({ eventId }) => eventId)
    const published = events.filter(({ userId }) => userId === user).map(({ eventId }) => eventId)
    t.ok(
      history.length > 0 && published.join().endsWith(history.join()),
      `the history of user ${user} is the end of their events`
    )
  }
})

async function isSettled (sql: ReturnType<typeof createSql>, queue: Queue): Promise<boolean> {
  const [open] = await sql`select 1 from jobs.jobs where state < 3 limit 1`
  return !open && await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized') === 0
}

async function isCaughtUp (redis: Redis, sql: ReturnType<typeof createSql>): Promise<boolean> {
  const lastOf = async (key: string) => (await redis.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0]
  const { ms, seq } = await readPosition(sql)
  return await redis.hget(
    relayPositionKey('default'), 'at'
  ) === await lastOf('bull:default:events') && `${ms}-${seq}` === await lastOf(JOB_EVENTS_KEY)
}

/** The first difference of two long lists, which is easier to read than both. */
function firstDifference (found: string[], wanted: string[]): string | undefined {
  const i = Array.from({ length: Math.max(found.length, wanted.length) }).findIndex((_, i) => found[i] !== wanted[i])
  if (i === -1) return undefined
  return `at ${i} of ${wanted.length} (${found.length} found): ${found[i]} instead of ${wanted[i]}`
}

/** A job that its user cancelled before Redis accepted it: BullMQ has no event of that incarnation. */
function isCancelledUnseen ({ eventId, jobId, type, error }: SeenEvent, events: SeenEvent[]): boolean {
  const first = events.find(event => event.jobId === jobId)
  return type === 'failed' && error === 'Cancelled by user' && first?.eventId === eventId
}

function faultsOf (row: JobRow, standing: Standing | undefined): object[] {
  const found = {
    state: row.state,
    progress: row.progress,
    result: row.result,
    failedReason: row.failed_reason,
    startedMs: numberOf(row.started_ms),
    finishedMs: numberOf(row.finished_ms),
    attempts: row.attempts_made
  }
  // A job that was cancelled before Redis accepted it.
  const wanted = standing ?? {
    ...found,
    state: 'failed',
    failedReason: 'Cancelled by user',
    progress: null,
    result: null,
    startedMs: null,
    attempts: 0
  }
  return JSON.stringify(sorted(found)) === JSON.stringify(sorted(wanted)) ? [] : [{ id: row.id, found, wanted }]
}

const numberOf = (text: string | null) => text === null ? null : Number(text)
const sorted = (object: object) => Object.entries(object).toSorted(([a], [b]) => a < b ? -1 : 1)

/** Rows that differ from the state in BullMQ. */
async function disagreements (rows: JobRow[], queue: Queue): Promise<object[]> {
  const found: object[] = []
  for (let i = 0; i < rows.length; i += 200) {
    found.push(...(await Promise.all(rows.slice(i, i + 200).map(async row => await disagreement(row, queue)))).flat())
  }
  return found
}

async function disagreement (row: JobRow, queue: Queue): Promise<object[]> {
  const job = await Job.fromId(queue, row.id)
  const shown = {
    state: row.state, outcome: row.state === 'completed' ? row.result : row.failed_reason, attempts: row.attempts_made
  }
  const known = job
    ? await standingOf(job)
    : {
        state: 'failed', outcome: 'Cancelled by user', attempts: shown.attempts
      }
  return JSON.stringify(shown) === JSON.stringify(known) ? [] : [{ id: row.id, shown, known }]
}

/** A completed job keeps the reason of an earlier failed attempt, which has no meaning any more. */
async function standingOf (job: Job) {
  const state = await job.getState()
  return {
    state, outcome: state === 'completed' ? job.returnvalue as unknown : job.failedReason, attempts: job.attemptsStarted
  }
}
