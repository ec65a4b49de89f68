import t from 'tap'
import { holding, waitForBlocked } from '@tidings/testing'
import { createSql } from '@tidings/service-kit'
import { createOutcomeEffects } from '../../../src/delivery/outcomes/outcome-effects.ts'
import { createEndpointRegistry } from '../../../src/delivery/scheduler/endpoint-registry.ts'
import { supersedeProgress } from '../../../src/delivery/outcomes/supersede-progress.ts'
import type { TaskOutcome } from '../../../src/delivery/outcomes/outcome-write.ts'
import type { Task } from '../../../src/delivery/attempt/task.ts'
import { setup } from '../../setup.ts'
import { targetOf } from '../target.ts'

const { app, sql, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
await app.delivery.stop()
const own = createSql(url, { max: 3 })
t.teardown(() => own.end({ timeout: 1 }))
const POLICY = { breakerMs: 1000, breakerMaxMs: 1000, probeAfterMs: undefined, disableAfterMs: 1000 }

t.test('superseding does not wait for rows that another transaction is writing', async t => {
  const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    select ${webhookId}, n, 0, 'progress', 'default:1', 'pending' from generate_series(1, 3) as n`
  await holding(
    t,
    own,
    async tx => await tx`update webhooks.deliveries set attempts = 1 where webhook_id = ${webhookId} and event_ms = 1`
  )
  await own.begin(
    async tx => await supersedeProgress(
      tx, [{ webhookId, orderingKey: 'default:1', isFailing: true, latestOnly: false }]
    )
  )
  t.same((
    await sql`select state from webhooks.deliveries where webhook_id = ${webhookId} order by event_ms`
  ).map(({ state }) => state), ['pending', 'superseded', 'pending'])
})

t.test('webhooks are locked in one order, for superseding and for changes of health', async t => {
  const [well, failing] = [
    await createWebhook({ url: 'http://127.0.0.1:9' }), await createWebhook({ url: 'http://127.0.0.1:9' })
  ]
  const endpoints = createEndpointRegistry(10)
  endpoints.endpointFor({ ...targetOf(well), failures: 1 })
  const write = createOutcomeEffects({ endpoints, policy: POLICY }).of([entryOf(well, true), entryOf(failing, false)])
  const letGo = await holding(t, own, async tx => await tx`select from webhooks.webhooks where id = ${well} for update`)
  const written = own.begin(async tx => await write?.(tx))
  await waitForBlocked(own, 1)
  t.equal(
    (await sql`select id from webhooks.webhooks where id = ${failing} for update skip locked`).length,
    1,
    'it holds nothing that comes later'
  )
  await letGo()
  t.equal((await written)?.length, 2)
})

function entryOf (id: number, ok: boolean): TaskOutcome {
  const task: Task = {
    target: targetOf(id),
    orderingKey: 'default:1',
    eventId: { ms: 1, seq: 0 },
    type: 'completed',
    url: null,
    messageId: '1-0',
    body: '{}',
    attempt: 1,
    acceptedAt: 0,
    dueAt: 0,
    waitingSince: 0,
    workerId: 1
  }
  const attempt = { startedAt: 0, outcome: { ok, durations: { totalMs: 1 } }, pausedUntil: undefined }
  return {
    task,
    result: ok
      ? { decision: { state: 'delivered' }, keyState: 'clear', attempt }
      : {
          decision: { state: 'pending', dueAt: 0 }, keyState: 'failing', attempt
        }
  }
}
