import t from 'tap'
import type { Webhook, WebhookHealth } from '@tidings/contracts'
import { startReceiver, tokenOf, until } from '@tidings/testing'
import { appender, startApp, startStores, webhookCreator, type NewEvent } from '../setup.ts'

const CLOSED: WebhookHealth = {
  circuit: 'closed', failures: 0, failingSince: null, openUntil: null, nextAttemptAt: null
}
const SETTINGS = { WEBHOOK_RETRY_SCHEDULE: '1h' }

const stores = await startStores(t)
const { sql } = stores
const first = await startApp(t, stores, SETTINGS)
const second = await startApp(t, stores, { ...SETTINGS, WEBHOOK_RECOVERY_WINDOW: '0' })
const createWebhook = webhookCreator(sql)
const append = appender(stores.redis)
const completed = (jobId: string, userId: string): NewEvent => ({ type: 'completed', jobId, userId, result: 1 })

async function read<Body> (path: string, { user = '1', app = first } = {}): Promise<Body> {
  const headers = { authorization: `Bearer ${tokenOf(user)}` }
  return (await app.inject({ url: path, headers })).json<Body>()
}

async function healthOf (id: number, options?: { user?: string, app?: typeof first }): Promise<WebhookHealth> {
  return (await read<Webhook>(`/webhooks/${id}`, options)).health
}

/** A webhook whose endpoint is as these columns say; `pending` are due times of deliveries to it. */
async function webhookWith (columns: object, pending: { dueAt: Date, chain: string | null }[] = []): Promise<number> {
  const id = await createWebhook({ url: 'http://127.0.0.1:9/' })
  await sql`update webhooks.webhooks set ${sql({ failures: 0, ...columns })} where id = ${id}`
  for (const [i, { dueAt, chain }] of pending.entries()) {
    await sql`
      insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, due_at)
      values (${id}, ${i + 1}, 0, 'completed', ${chain}, 'pending', ${dueAt})`
  }
  return id
}

const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000)
const [before, soon, later, last] = [inHours(-1), inHours(1), inHours(2), inHours(3)]
const failing = { failures: 3, failing_since: before }
const tripped = { failures: 30, failing_since: before }
const iso = (date: Date) => date.toISOString()

t.test('the state of the circuit, and when the next attempt is made, are as stored', async t => {
  const waiting = [{ dueAt: later, chain: 'default:1' }, { dueAt: soon, chain: 'default:2' }]
  const cases: [what: string, id: number, health: object][] = [
    ['a new one', await webhookWith({}), CLOSED],
    ['a healthy one with something pending', await webhookWith({}, waiting), CLOSED],
    ['one that answers again after a pause', await webhookWith({ open_until: before }), CLOSED],
    ['a failing one, for which nothing waits', await webhookWith(failing), { circuit: 'failing', nextAttemptAt: null }],
    ['a failing one', await webhookWith(failing, waiting), { circuit: 'failing', nextAttemptAt: iso(soon) }],
    [
      'one with a delivery that waits behind an older one of its job',
      await webhookWith(failing, [{ dueAt: later, chain: 'default:1' }, { dueAt: soon, chain: 'default:1' }]),
      { circuit: 'failing', nextAttemptAt: iso(later) }
    ],
    [
      'one with a redelivery', await webhookWith(failing, [{ dueAt: soon, chain: null }]),
      { circuit: 'failing', nextAttemptAt: iso(soon) }
    ],
    [
      'one that asked for a pause', await webhookWith({ ...failing, open_until: last }, waiting),
      { circuit: 'throttled', openUntil: iso(last), nextAttemptAt: iso(last) }
    ],
    [
      'an open circuit', await webhookWith({ ...tripped, open_until: soon }, waiting),
      { circuit: 'open', failures: 30, openUntil: iso(soon), nextAttemptAt: iso(soon) }
    ],
    [
      'an open circuit, for which nothing waits', await webhookWith({ ...tripped, open_until: soon }),
      { circuit: 'open', openUntil: iso(soon), nextAttemptAt: null }
    ],
    [
      'one that is probed', await webhookWith({ ...tripped, open_until: soon, recover_at: later }),
      { circuit: 'open', openUntil: iso(soon), nextAttemptAt: iso(later) }
    ],
    [
      'one whose pause is over', await webhookWith({ ...tripped, open_until: before }, waiting),
      { circuit: 'half-open', openUntil: null, nextAttemptAt: iso(soon) }
    ],
    [
      'a paused one', await webhookWith({ ...failing, status: 'paused' }, waiting),
      { circuit: 'failing', failures: 3, failingSince: iso(before), nextAttemptAt: null }
    ]
  ]
  const { webhooks } = await read<{ webhooks: Webhook[] }>('/webhooks')
  for (const [what, id, health] of cases) {
    t.match(webhooks.find(webhook => webhook.id === id)?.health, health, what)
    t.match(await healthOf(id), health, `${what}, alone`)
  }
})

t.test('a replica that does not recover deliveries announces no probe', async t => {
  const id = await webhookWith({ ...failing, recover_at: later })
  t.equal((await healthOf(id, { app: second })).nextAttemptAt, null)
})

t.test('what a GET returned can be sent back, and a change by the owner resets the health', async t => {
  const id = await webhookWith({ ...tripped, open_until: last })
  const put = async (body: object) => (await first.inject({
    method: 'PUT', url: `/webhooks/${id}`, headers: { authorization: `Bearer ${tokenOf('1')}` }, payload: body
  })).json<Webhook>()
  const shown = await read<Webhook>(`/webhooks/${id}`)
  t.same((await put({ ...shown, active: undefined, url: undefined })).health, shown.health)
  t.same((await put({ active: true })).health, CLOSED)
})

t.test('all replicas show the same, whichever has made the attempts', async t => {
  const user = 'shared'
  let status = 500
  const receiver = await startReceiver(t, () => status)
  const id = await createWebhook({ url: receiver.url, userId: user })
  await append(Array.from({ length: 4 }, (_, i) => completed(`job-${i}`, user)))
  const seen = await until(async () => {
    const health = await healthOf(id, { user })
    return health.failures === 4 && health
  })
  t.match(seen, { circuit: 'failing', openUntil: null })
  t.ok(Date.parse(String(seen.failingSince)) <= Date.now())
  t.ok(Date.parse(String(seen.nextAttemptAt)) > Date.now(), 'the retry of the schedule')
  t.same(await healthOf(id, { user, app: second }), seen)

  status = 200
  await append([completed('job-5', user)])
  await until(async () => (await healthOf(id, { user })).circuit === 'closed')
  t.same(await healthOf(id, { user, app: second }), CLOSED)
})

t.test('a legacy webhookUrl shows it too', async t => {
  const id = await createWebhook({ url: 'http://127.0.0.1:9/', userId: 'legacy' })
  await sql`update webhooks.webhooks set kind = 'legacy', failures = 3, failing_since = ${before} where id = ${id}`
  const { health } = await read<{ health: WebhookHealth }>('/webhooks/legacy', { user: 'legacy' })
  t.match(health, { circuit: 'failing', failures: 3, failingSince: iso(before) })
})
