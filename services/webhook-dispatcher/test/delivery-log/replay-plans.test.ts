import t from 'tap'
import { createSql } from '@tidings/service-kit'
import type { ReplayConditions, WebhookFilter } from '@tidings/contracts'
import { countOutcomes } from '../../src/delivery-log/show-replay.ts'
import { countSelected, lastRead, MAX_READ, selectedEvents } from '../../src/delivery-log/replay-selection.ts'
import { runReplays } from '../../src/maintenance/run-replays.ts'
import { explain, isOnDeliveries, rowsOf, type PlanNode } from '../delivery/explain.ts'
import { setup } from '../setup.ts'

const EVENTS = 240_000
const PAGE = 500

const { app, sql, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
await app.close() // the tables are all this needs
const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
const own = createSql(url, { max: 1 })
t.teardown(() => own.end({ timeout: 1 }))

// One event in five is the user's; one delivery in a hundred has failed, and half of these were repeated.
await sql`
  insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
  select n, 0, case when n % 5 = 0 then '1' else 'other-' || n % 5 end, 'completed', 'default:' || n,
    '{"id":"' || n || '","jobname":"' || case when n % 1000 = 0 then 'rare' else 'usual' end || '","userId":1,"result":1,"eventType":"completed"}'
  from generate_series(1, ${EVENTS}::int) as n`
await sql`
  insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
  select ${webhookId}, n, 0, 'completed', 'default:' || n, case when n % 1000 = 0 then 'failed' else 'delivered' end, now()
  from generate_series(5, ${EVENTS}::int, 5) as n order by n`
await sql`
  insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, origin, origin_id, state, finished_at)
  select ${webhookId}, n, 0, 'completed', 'redeliver', n, 'delivered', now() from generate_series(2000, ${EVENTS}::int, 2000) as n`
await sql`insert into webhooks.replay_requests (webhook_id, at_ms, at_seq, until_ms, until_seq, deliveries) values (${webhookId}, 0, 0, 1, 0, 5)`
await sql`vacuum analyze`

type Selected = { conditions?: ReplayConditions, filter?: WebhookFilter | null }

function selection ({ conditions = {}, filter = null }: Selected) {
  const webhook = { id: webhookId, userId: '1', eventType: 'all' as const, eventTypes: null, filter }
  return { webhook, conditions, at: { ms: 0, seq: 0 }, until: { ms: EVENTS, seq: 0 } }
}

const isOnEvents = (node: PlanNode) => /^events/.test(node['Relation Name'] ?? '') // a day
const sum = (nodes: PlanNode[]) => nodes.reduce((rows, node) => rows + rowsOf(node), 0)
const isScan = (node: PlanNode) => node['Node Type'] === 'Seq Scan' && (isOnEvents(node) || isOnDeliveries(node))

t.test('a page of a replay reads no more events than it needs, and never more than a bound', async t => {
  const pages: [Selected, events: number, found: number][] = [
    [{}, PAGE, PAGE],
    [{ conditions: { status: 'failed' } }, MAX_READ, 13],
    [{ filter: { names: ['rare'] } }, MAX_READ, 25],
    [{ filter: { queues: ['none'] } }, MAX_READ, 0]
  ]
  for (const [selected, events, found] of pages) {
    const what = JSON.stringify(selected)
    const page = selection(selected)
    t.equal((await own`${selectedEvents(own, page)} limit ${PAGE}`).length, found, what)
    const { nodes, generic } = await explain(url, async tx => await tx`${selectedEvents(tx, page)} limit ${PAGE}`)
    t.equal(sum(nodes.filter(isOnEvents)), events, what)
    t.ok(sum(nodes.filter(isOnDeliveries)) <= 2 * MAX_READ, what)
    t.notOk([...nodes, ...generic].some(isScan), what)
  }
  const [last] = await own`${lastRead(own, selection({}))}`
  t.match(last, { event_ms: 5 * MAX_READ, event_seq: 0 })
})

t.test('what looks for thousands of events is planned for the tables as they are', async t => {
  const keeping = createSql(url, { max: 1, connection: { plan_cache_mode: 'force_generic_plan' } })
  t.teardown(() => keeping.end({ timeout: 1 }))
  t.match(await countSelected(keeping, selection({ conditions: { status: 'failed' } })), { matched: 120 })
  t.match(await runReplays(keeping), { hasMore: true })
  const plans = await keeping`
    select generic_plans, custom_plans > 0 as is_custom from pg_prepared_statements where statement ~ 'from webhooks\\.events'`
  t.same([...plans], Array.from({ length: 2 }, () => ({ generic_plans: 0, is_custom: true })))
})

t.test('the outcomes of a replay are counted without its delivered deliveries', async t => {
  const [replay] = await sql<{ id: string }[]>`select id from webhooks.replay_requests`
  const id = Number(replay?.id)
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, origin, origin_id, state, finished_at)
    select ${webhookId}, n, 0, 'completed', 'replay', ${id}, state, case when state <> 'pending' then now() end
    from unnest(array['delivered', 'delivered', 'failed', 'closed', 'pending']) with ordinality as s (state, n)`
  await sql`update webhooks.replay_requests set first_delivery_id = (select min(id) from webhooks.deliveries where origin = 'replay')`
  await sql`analyze webhooks.deliveries`
  t.match(
    await countOutcomes(own, { webhookId, id }), { deliveries: 5, pending: 1, failed: 1, closed: 1 }
  )
  const { nodes, generic } = await explain(url, async tx => await countOutcomes(tx, { webhookId, id }))
  t.ok(sum(nodes.filter(isOnDeliveries)) <= 20, `${sum(nodes.filter(isOnDeliveries))} rows`)
  t.notOk([...nodes, ...generic].some(isScan))
})
