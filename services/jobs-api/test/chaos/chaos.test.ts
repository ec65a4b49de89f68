import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { Job, UnrecoverableError } from 'bullmq'
import { createSql } from '@tidings/service-kit'
import { tokenOf, until } from '@tidings/testing'
import { compareCounts } from '../../src/projector/compare-counts.ts'
import { producer, worker } from '../bullmq.ts'
import { jobRows } from '../job-rows.ts'
import { startReplica, type Replica } from '../replica.ts'
import { startServers } from '../setup.ts'
import { toldEvents } from '../told.ts'

const CHAOS_MS = 12_000
const SETTLE_MS = 25_000
const USERS = 5

/** A generator whose choices a seed repeats. */
function random (seed: number) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }
}

/** What BullMQ's own record says must have been told, in its order: an independent reading of it. */
function expectedOf (entries: [string, string[]][]): string[] {
  const final = new Set<string>()
  return entries.flatMap(([id, values]) => {
    const fields = Object.fromEntries(Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]])) as Record<string, string>
    const { event = '', jobId = '', prev } = fields
    const wasFinal = prev === 'completed' || prev === 'failed'
    const opens = event === 'added' || (event === 'waiting' && wasFinal)
    const type = event === 'waiting-children' ? 'waiting' : event === 'removed' ? 'failed' : event
    if (!['added', 'waiting', 'delayed', 'active', 'progress', 'completed', 'failed'].includes(type)) return []
    if (final.has(jobId) && !opens) return []
    if (opens) final.delete(jobId)
    if (type === 'completed' || type === 'failed') final.add(jobId)
    return [`${jobId} ${type} ${id.split('-')[0]}`]
  })
}

t.test('random jobs, workers that stall, replicas killed and frozen: nothing is lost, doubled or out of order', { timeout: 90_000 }, async t => {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
  t.comment(`CHAOS_SEED=${seed}`)
  const chance = random(seed)
  const { redis, env, database } = await startServers(t)
  const settings = { ...env, RELAY_EVENTS_BEHIND: '1000000', RECONCILE_SILENT_MS: '3600000', SWEEP_AGE_MS: '500', RATE_LIMIT_MAX: '0' }
  const replicas: Replica[] = await Promise.all([startReplica(t, settings), startReplica(t, settings)])
  const queue = producer(t, redis)

  for (let i = 0; i < 2; i++) {
    worker(t, redis, async job => {
      const { kind, pause } = job.data as { kind: string, pause: number }
      for (let step = 0; step < 3; step++) {
        await sleep(pause)
        await job.updateProgress(step)
      }
      if (kind === 'stalls' && job.stalledCounter === 0) await sleep(1500)
      if (kind === 'fails') throw new UnrecoverableError('fails')
      if (kind === 'retries' && job.attemptsMade === 0) throw new Error('once')
      if (kind === 'late') setTimeout(() => { job.updateProgress('late').catch(() => {}) }, 20)
      return { of: job.id }
    }, { concurrency: 100, lockDuration: 600, stalledInterval: 300, lockRenewTime: 60_000, maxStalledCount: 5 })
  }

  const ids: string[] = []
  const end = Date.now() + CHAOS_MS
  const post = async (path: string, user: number, key: string, body?: object): Promise<Response> => {
    for (;;) {
      const { url } = replicas[Math.floor(chance() * replicas.length)] as Replica
      try {
        const answer = await fetch(url + path, {
          method: 'POST',
          headers: { authorization: `Bearer ${tokenOf(user)}`, 'idempotency-key': key, ...(body && { 'content-type': 'application/json' }) },
          ...(body && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(3000)
        })
        if (answer.status < 500) return answer
      } catch {
        // killed or frozen: the other one, or the same later
      }
      await sleep(50)
    }
  }
  const client = async (n: number) => {
    for (let i = 0; Date.now() < end; i++) {
      const kind = ['succeeds', 'fails', 'retries', 'stalls', 'late'][Math.floor(chance() * 5)] as string
      const delay = chance() < 0.2 ? Math.ceil(chance() * 1500) : undefined
      const user = n % USERS
      const answer = await post('/submit-job', user, `${n}-${i}`, {
        name: kind,
        data: { kind, pause: Math.floor(chance() * 40) },
        attempts: 2,
        backoff: { type: 'fixed', delay: 50 },
        ...(delay && { delay })
      })
      if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
      const { jobId } = await answer.json() as { jobId: string }
      ids.push(jobId)
      if (chance() < 0.1) await post(`/jobs/${jobId}/cancel`, user, `cancel-${n}-${i}`)
      await sleep(chance() * 100)
    }
  }
  const troublemaker = async () => {
    while (Date.now() < end) {
      await sleep(500 + chance() * 1500)
      const i = Math.floor(chance() * replicas.length)
      const victim = replicas[i] as Replica
      if (chance() < 0.5) {
        victim.process.kill('SIGSTOP')
        await sleep(300 + chance() * 1500)
        victim.process.kill('SIGCONT')
      } else {
        await victim.kill('SIGKILL')
        replicas[i] = await startReplica(t, settings)
      }
    }
  }
  await Promise.all([...Array.from({ length: 10 }, (_, n) => client(n)), troublemaker()])

  const open = new Set(['waiting', 'delayed', 'active'])
  await until(async () => (await jobRows(database.sql)).every(({ state }) => !open.has(state)), { timeoutMs: SETTLE_MS, intervalMs: 200 })
  const admin = redis.client()
  await until(async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized')) === 0, { timeoutMs: SETTLE_MS })
  await sleep(500) // late progress

  const recorded = expectedOf(await admin.xrange('bull:default:events', '-', '+'))
  const events = await toldEvents(admin)
  t.same(events.filter(({ reconciled }) => !reconciled).map(({ jobId, type, timestamp }) => `${jobId} ${type} ${timestamp}`), recorded, 'the stream is BullMQ\'s record, once and in order')

  const rows = await jobRows(database.sql)
  t.same(new Set(rows.map(({ id }) => id)), new Set(ids), 'each accepted job has a row, and no other has')
  for (const row of rows) {
    const job = await Job.fromId(queue, row.id)
    const state = job ? await job.getState() : 'removed'
    if (state === 'removed' ? row.state !== 'failed' : row.state !== state) t.fail(`${row.id} is ${row.state}, BullMQ says ${state}`)
    if (state === 'completed') t.same(row.result, { of: row.id })
  }
  const sql = createSql(database.url, { max: 1 })
  t.same(await compareCounts(sql), [], 'counters equal a full count')
  await sql.end()
  t.comment(`${rows.length} jobs, ${events.length} events, ${rows.filter(({ state }) => state === 'failed').length} failed`)
})
