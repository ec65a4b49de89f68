import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { Sql } from 'postgres'
import { createWebhook, deleteWebhook } from '../workload/receivers.ts'
import { interleave } from '../workload/interleave.ts'
import type { Row } from '../figures/row.ts'
import type { FanOutCommands } from '../limits/raw-ws.ts'
import { startLoad } from '../load/start-load.ts'
import { startStandalone } from '../fixture/standalone.ts'
import { residentBytes } from '../fixture/process-times.ts'
import type { Fixture } from '../fixture/fixture.ts'
import type { Scenario } from './scenario.ts'

const SESSIONS = 1_500
/** Opened before the first measurement: they fill the free space that the start left in the heap. */
const FIRST_SESSIONS = 1_000
const PAIRS = 5
const SETTLE_MS = 300
const PENDING = 50_000
/**
 * Appended before the first measurement, as with the sessions: a heap of the default size needs this many to settle.
 */
const FIRST_PENDING = 100_000
const PENDING_WITHIN_MS = 60_000
const KIB = 1024
const MIB = 1024 * KIB

/** Resident memory of an idle session, compared with plain Socket.IO, and of pending deliveries. */
export const memory: Scenario = {
  name: 'memory',
  title: '9 memory',
  run: async fixture => {
    const { Tidings, 'socket.io': plain } = await interleave(fixture, {
      title: `memory of ${SESSIONS} sessions`,
      pairs: PAIRS,
      cells: { Tidings: () => gatewaySession(fixture), 'socket.io': () => plainSession(fixture) }
    })
    const sessions: Row = {
      scenario: '9',
      what: 'RSS of an idle session',
      unit: 'KiB',
      ours: Tidings,
      peer: { name: 'plain Socket.IO', values: plain },
      goal: { of: 'ours', atMost: 36 }
    }
    const pending: Row = {
      scenario: '9',
      what: `RSS for ${PENDING} pending deliveries`,
      unit: 'MiB',
      ours: [await pendingGrowth(fixture)]
    }
    return { rows: [sessions, pending], broken: [] }
  }
}

async function gatewaySession (fixture: Fixture): Promise<number> {
  const gateway = await startStandalone(fixture, { name: 'realtime-gateway', redisDatabase: 4 })
  const { origin: url, pid, token } = gateway
  const each = await sessionBytes(fixture, { url, protocol: 'tidings', pid, token })
  await gateway.stop()
  return each / KIB
}

async function plainSession (fixture: Fixture): Promise<number> {
  const entry = new URL('../limits/plain-socket-io.ts', import.meta.url)
  const plain = await startLoad<FanOutCommands>('plain-socket-io', entry)
  const url = await plain.ask('listen')
  const each = await sessionBytes(fixture, { url, protocol: 'socket.io', pid: plain.pid, token: String })
  await plain.stop()
  return each / KIB
}

interface Server { url: string, protocol: 'tidings' | 'socket.io', pid: number, token: (user: number) => string }

async function sessionBytes ({ loads: { sockets } }: Fixture, { url, protocol, pid, token }: Server): Promise<number> {
  const tokens = Array.from({ length: FIRST_SESSIONS + SESSIONS }, (_, index) => token(index + 1))
  await sockets.ask('open', { name: 'first', url, protocol, tokens: tokens.slice(0, FIRST_SESSIONS) })
  await sleep(SETTLE_MS)
  const before = residentBytes(pid)
  await sockets.ask('open', { name: 'rest', url, protocol, tokens: tokens.slice(FIRST_SESSIONS) })
  await sleep(SETTLE_MS)
  const after = residentBytes(pid)
  for (const name of ['first', 'rest']) await sockets.ask('close', name)
  return (after - before) / SESSIONS
}

/** Growth of the dispatcher while deliveries to an endpoint that hangs accumulate in Postgres. */
async function pendingGrowth (fixture: Fixture): Promise<number> {
  fixture.progress.status(`memory of ${PENDING} pending deliveries`)
  const { relay, sink } = fixture.loads
  const dispatcher = await startStandalone(fixture, { name: 'webhook-dispatcher', redisDatabase: 5 })
  const subject = { webhooks: dispatcher.origin, token: dispatcher.token }
  const id = await createWebhook(subject, { user: 1, url: `${fixture.loads.sinkOrigin}/hang` })
  const sql = postgres(dispatcher.databaseUrl, { max: 1 })
  await relay.ask('connect', dispatcher.redisUrl)
  const accumulate = async (events: number, total: number) => {
    await relay.ask('append', { run: fixture.nextRun(), events, users: 1, type: 'completed' })
    await untilPending(sql, total)
    await sleep(SETTLE_MS)
    return residentBytes(dispatcher.pid)
  }
  const before = await accumulate(FIRST_PENDING, FIRST_PENDING)
  const after = await accumulate(PENDING, FIRST_PENDING + PENDING)
  await deleteWebhook(subject, { user: 1, id })
  await sink.ask('release')
  await sql.end()
  await dispatcher.stop()
  return (after - before) / MIB
}

async function untilPending (sql: Sql, rows: number): Promise<void> {
  for (const deadline = Date.now() + PENDING_WITHIN_MS; ; await sleep(100)) {
    const [{ count }] = await sql<[{ count: number }]>`select count(*)::int as count from webhooks.deliveries`
    if (count >= rows) return
    if (Date.now() > deadline) {
      throw new Error(`Only ${count} of ${rows} deliveries are pending after ${PENDING_WITHIN_MS / 1000} s`)
    }
  }
}
