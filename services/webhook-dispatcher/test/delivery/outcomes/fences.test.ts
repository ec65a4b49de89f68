import t from 'tap'
import type { EventId } from '@tidings/job-events'
import type { Result, Task } from '../../../src/delivery/attempt/task.ts'
import { insertRows } from '../../../src/delivery/outcomes/insert-rows.ts'
import type { InsertWrite } from '../../../src/delivery/outcomes/outcome-write.ts'
import { updateRows } from '../../../src/delivery/outcomes/update-rows.ts'
import { setup } from '../../setup.ts'
import { targetOf } from '../target.ts'

const FROM = { ms: 5, seq: 0 }
const TO = { ms: 9, seq: 0 }
const SENT: Result = {
  decision: { state: 'delivered' },
  keyState: 'clear',
  attempt: { startedAt: 0, outcome: { ok: true, status: 200, durations: { totalMs: 1 } }, pausedUntil: undefined }
}

const { app, sql, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
await app.delivery.stop()
const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
const [worker, other] = [await register(), await register()]

async function register (): Promise<number> {
  const [row] = await sql<{ id: number }[]>`
    insert into webhooks.workers (host, lease_until) values ('test', now() + interval '1 hour') returning id::int`
  return row?.id as number
}

function taskOf (eventId: EventId, { workerId = worker, id }: { workerId?: number, id?: number } = {}): Task {
  return {
    target: targetOf(webhookId),
    orderingKey: 'default:1',
    eventId,
    type: 'completed',
    url: null,
    messageId: `${eventId.ms}-0`,
    body: '{}',
    attempt: 1,
    acceptedAt: 0,
    dueAt: 0,
    waitingSince: 0,
    workerId,
    ...(id !== undefined && { id })
  }
}

/** Inserts one event with its delivery, and moves the position. Undefined where nothing was written. */
async function insert (write: Partial<InsertWrite>, { isInFlight = false } = {}) {
  const task = taskOf(write.to ?? TO)
  const event = { id: task.eventId, userId: '1', type: task.type, orderingKey: 'default:1', body: '{}' }
  const shardWriter = { mayRetry: () => false, onFault: () => {}, onRefused: async () => {} }
  return await insertRows(app.sql, {
    kind: 'insert',
    shard: 0,
    workerId: worker,
    from: FROM,
    to: TO,
    events: [event],
    tasks: [{ task, result: isInFlight ? undefined : SENT }],
    shardWriter,
    ...write
  })
}

async function reset () {
  await sql`truncate webhooks.deliveries, webhooks.events, webhooks.attempts`
  await sql`update webhooks.shard_positions set event_ms = ${FROM.ms}, event_seq = ${FROM.seq}, worker_id = ${worker}`
}

const stored = async () => (await sql<{ rows: number, events: number, position: number }[]>`
  select (select count(*)::int from webhooks.deliveries) as rows, (select count(*)::int from webhooks.events) as events,
    event_ms::int as position from webhooks.shard_positions`)[0]

t.test('rows are inserted only from the position of the shard', async t => {
  await reset()
  t.equal(await insert({ from: { ms: 4, seq: 0 } }), undefined, 'another replica was faster')
  t.equal(await insert({ from: { ms: 5, seq: 1 } }), undefined)
  t.same(await stored(), { rows: 0, events: 0, position: FROM.ms })
  t.same(await insert({}), [])
  t.same(await stored(), { rows: 1, events: 1, position: TO.ms })
  t.equal(await insert({}), undefined, 'a write that is repeated after a lost answer')
  t.same(await stored(), { rows: 1, events: 1, position: TO.ms })
})

t.test('rows are inserted only by the worker that holds the shard', async t => {
  await reset()
  t.equal(await insert({ workerId: other }), undefined)
  t.same(await stored(), { rows: 0, events: 0, position: FROM.ms })
})

t.test('an outcome is written only by the worker that holds the row, and once', async t => {
  await reset()
  const [row] = await insert({}, { isInFlight: true }) ?? []
  const write = async (workerId: number) => {
    await updateRows(app.sql, [{ task: taskOf(TO, { workerId, id: row?.id as number }), result: SENT }])
    const [found] = await sql`select state, attempts, claim::int as claim from webhooks.deliveries`
    return { ...found, lines: (await sql`select from webhooks.attempts`).length }
  }
  t.same(await write(other), { state: 'pending', attempts: 0, claim: worker, lines: 0 })
  t.same(await write(worker), { state: 'delivered', attempts: 1, claim: null, lines: 1 })
  t.same(await write(worker), { state: 'delivered', attempts: 1, claim: null, lines: 1 })
})
