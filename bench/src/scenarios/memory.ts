import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { Sql } from 'postgres'
import { createWebhook, deleteWebhook } from '../drive/audience.ts'
import { interleave } from '../drive/interleave.ts'
import type { Row } from '../figures/row.ts'
import type { FanOutCommands } from '../limits/raw-ws.ts'
import { startLoad } from '../load/start-load.ts'
import { startAlone } from '../stage/alone.ts'
import { residentBytes } from '../stage/process-times.ts'
import type { Stage } from '../stage/stage.ts'
import type { Scenario } from './scenario.ts'

const SESSIONS = 1_500
/** Opened before the first look: they fill the room that starting left in the heap. */
const FIRST_SESSIONS = 1_000
const PAIRS = 5
const SETTLE_MS = 300
const PENDING = 50_000
/** As with the first sessions: a heap of its default size takes so many to settle. */
const FIRST_PENDING = 100_000
const PENDING_WITHIN_MS = 60_000
const KIB = 1024
const MIB = 1024 * KIB

/** Resident memory of an idle session, beside plain Socket.IO, and of deliveries that wait. */
export const memory: Scenario = {
  name: 'memory',
  title: '9 memory',
  run: async stage => {
    const { Tidings, 'socket.io': plain } = await interleave(stage, {
      title: `memory of ${SESSIONS} sessions`,
      pairs: PAIRS,
      cells: { Tidings: () => gatewaySession(stage), 'socket.io': () => plainSession(stage) }
    })
    const sessions: Row = {
      scenario: '9', what: 'RSS of an idle session', unit: 'KiB', ours: Tidings, peer: { name: 'plain Socket.IO', values: plain }, goal: { of: 'ours', atMost: 36 }
    }
    const pending: Row = { scenario: '9', what: `RSS for ${PENDING} pending deliveries`, unit: 'MiB', ours: [await pendingGrowth(stage)] }
    return { rows: [sessions, pending], broken: [] }
  }
}

async function gatewaySession (stage: Stage): Promise<number> {
  const gateway = await startAlone(stage, { name: 'realtime-gateway', redisDatabase: 4 })
  const each = await sessionBytes(stage, { url: gateway.origin, protocol: 'tidings', pid: gateway.pid, token: gateway.token })
  await gateway.stop()
  return each / KIB
}

async function plainSession (stage: Stage): Promise<number> {
  const plain = await startLoad<FanOutCommands>('plain-socket-io', new URL('../limits/plain-socket-io.ts', import.meta.url))
  const each = await sessionBytes(stage, { url: await plain.ask('listen'), protocol: 'socket.io', pid: plain.pid, token: String })
  await plain.stop()
  return each / KIB
}

interface Server { url: string, protocol: 'tidings' | 'socket.io', pid: number, token: (user: number) => string }

async function sessionBytes ({ loads: { sockets } }: Stage, { url, protocol, pid, token }: Server): Promise<number> {
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

/** How much the dispatcher grows while deliveries of an endpoint that hangs pile up in Postgres. */
async function pendingGrowth (stage: Stage): Promise<number> {
  stage.progress.say(`memory of ${PENDING} pending deliveries`)
  const { relay, sink } = stage.loads
  const dispatcher = await startAlone(stage, { name: 'webhook-dispatcher', redisDatabase: 5 })
  const side = { webhooks: dispatcher.origin, token: dispatcher.token }
  const id = await createWebhook(side, { user: 1, url: `${stage.loads.sinkOrigin}/hang` })
  const sql = postgres(dispatcher.databaseUrl, { max: 1 })
  await relay.ask('connect', dispatcher.redisUrl)
  const pile = async (events: number, total: number) => {
    await relay.ask('append', { run: stage.nextRun(), events, users: 1, type: 'completed' })
    await untilPending(sql, total)
    await sleep(SETTLE_MS)
    return residentBytes(dispatcher.pid)
  }
  const before = await pile(FIRST_PENDING, FIRST_PENDING)
  const after = await pile(PENDING, FIRST_PENDING + PENDING)
  await deleteWebhook(side, { user: 1, id })
  await sink.ask('release')
  await sql.end()
  await dispatcher.stop()
  return (after - before) / MIB
}

async function untilPending (sql: Sql, rows: number): Promise<void> {
  for (const deadline = Date.now() + PENDING_WITHIN_MS; ; await sleep(100)) {
    const [{ count }] = await sql<[{ count: number }]>`select count(*)::int as count from webhooks.deliveries`
    if (count >= rows) return
    if (Date.now() > deadline) throw new Error(`Only ${count} of ${rows} deliveries are pending after ${PENDING_WITHIN_MS / 1000} s`)
  }
}
