import t, { type Test } from 'tap'
import { createSql } from '@tidings/service-kit'
import type { Sql } from '../../src/db/sql.ts'
import { supersedeProgress } from '../../src/delivery/outcomes/supersede-progress.ts'
import type { TaskOutcome } from '../../src/delivery/outcomes/outcome-write.ts'
import { updateRows } from '../../src/delivery/outcomes/update-rows.ts'
import type { Task } from '../../src/delivery/attempt/task.ts'
import { findPendingGroups } from '../../src/fan-out/find-pending-groups.ts'
import { nextAttempts } from '../../src/webhooks/webhook-health.ts'
import { closeUndeliverable } from '../../src/maintenance/close-undeliverable.ts'
import { closeExpired } from '../../src/maintenance/retention.ts'
import { openReplays } from '../../src/maintenance/run-replays.ts'
import { setup } from '../setup.ts'
import { explain, isOnDeliveries, rowsOf, type PlanNode } from './explain.ts'

const WAITING = 30_000
const CLAIM = 7
const FEW = 20

const { app, sql, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
const own = createSql(url, { max: 1 })
t.teardown(() => own.end({ timeout: 1 }))
await app.close() // the tables are all this needs; nobody writes while plans are looked at
await sql`alter table webhooks.deliveries set (autovacuum_enabled = false)`
const webhookId = await createWebhook({ url: 'http://127.0.0.1:9', status: 'disabled' })
await sql`insert into webhooks.replay_requests (webhook_id, at_ms, at_seq, until_ms, until_seq) values (${webhookId}, 0, 0, 1, 0)`
const few = Array.from({ length: FEW }, (_, i) => i * 7 + 1)
const chains = few.map(n => ({ webhookId, orderingKey: `default:${n}` }))

/** Each deals with few rows, or a page of them, whatever else waits. */
const statements: { what: string, rows: number, run: (tx: Sql) => Promise<unknown> }[] = [
  {
    what: 'what became of claimed deliveries', rows: FEW, run: async tx => await updateRows(tx, await entriesOf(tx))
  },
  {
    what: 'news that give way',
    rows: FEW,
    run: async tx => await supersedeProgress(
      tx, chains.map(chain => ({ ...chain, isFailing: true, latestOnly: false }))
    )
  },
  { what: 'chains that wait', rows: FEW, run: async tx => await findPendingGroups(tx, chains, CLAIM) },
  { what: 'the next attempt', rows: FEW, run: async tx => await nextAttempts(tx, [webhookId], 'probes') },
  { what: 'replays that go on', rows: FEW, run: openReplays },
  { what: 'what waited for too long', rows: FEW, run: async tx => await closeExpired(tx, 14 * 86_400_000) },
  { what: 'a page of what nobody waits for', rows: 1000, run: closeUndeliverable }
]

t.test('statements read few rows of a table that was never analyzed', async t => {
  await addWaiting(5000)
  await looksAtFew(t)
})

t.test('statements read few rows where the planner believes that none is pending', async t => {
  await sql`truncate webhooks.deliveries restart identity`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    select ${webhookId}, -n, 0, 'completed', 'default:' || n, 'delivered', now() from generate_series(1, 20000) as n`
  await sql`analyze webhooks.deliveries`
  await addWaiting(WAITING)
  await looksAtFew(t)
})

t.test('statements read few rows where the planner knows the pending ones', async t => {
  await sql`analyze webhooks.deliveries`
  await looksAtFew(t)
})

t.test('a long ordering key is not read through', async t => {
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    select ${webhookId}, 100000 + n, 0, 'progress', 'default:long', 'pending' from generate_series(1, 5000) as n`
  const long = { webhookId, orderingKey: 'default:long' }
  const { nodes } = await explain(url, async tx => await findPendingGroups(tx, [long], CLAIM))
  t.ok(rowsSeen(nodes) <= 5, `${rowsSeen(nodes)} rows seen`)

  const chainsOf = async () => (
    await findPendingGroups(own, [long, { webhookId, orderingKey: 'default:none' }], CLAIM)
  ).map(row => ({ ...row }))
  t.same(await chainsOf(), [{ webhook_id: webhookId, ordering_key: 'default:long', ours: false }])
  await sql`update webhooks.deliveries set claim = ${CLAIM} where chain = 'default:long'`
  t.same(await chainsOf(), [{ webhook_id: webhookId, ordering_key: 'default:long', ours: true }])
})

async function looksAtFew (t: Test): Promise<void> {
  for (const { what, rows, run } of statements) {
    const { nodes } = await explain(url, run)
    const seen = rowsSeen(nodes)
    // Each is met by a few nodes: of an index, of the table, of the update.
    t.ok(seen <= 5 * rows, `${what}: ${seen} rows seen`)
  }
}

function rowsSeen (nodes: PlanNode[]): number {
  return nodes.filter(isOnDeliveries).reduce((sum, node) => sum + rowsOf(node), 0)
}

/** Deliveries that wait, of a chain each, held by a replica that is gone. */
async function addWaiting (count: number): Promise<void> {
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, claim)
    select ${webhookId}, n, 0, 'completed', 'default:' || n, 'pending', ${CLAIM} from generate_series(1, ${count}::int) as n`
}

async function entriesOf (tx: Sql): Promise<TaskOutcome[]> {
  const rows = await tx<{ id: number }[]>`select id from webhooks.deliveries where state = 'pending' order by id limit ${FEW}`
  return rows.map(({ id }) => ({
    task: { id, workerId: CLAIM } as Task,
    result: {
      decision: { state: 'delivered' },
      keyState: 'clear',
      attempt: {
        startedAt: Date.now(), outcome: { ok: true, status: 200, durations: { totalMs: 1 } }, pausedUntil: undefined
      }
    }
  }))
}
