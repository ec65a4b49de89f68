import fc from 'fast-check'
import t from 'tap'
import { startReceiver, tokenOf, until } from '@tidings/testing'
import { fuzz, operationsOf, type Operation } from '@tidings/testing/fuzz'
import { describeApi } from '../../src/openapi.ts'
import { setup } from './setup.ts'

const { app, call } = await setup(t, { RATE_LIMIT_MAX: '1000000', WEBHOOK_MAX_PER_USER: '10000' })
const receiver = await startReceiver(t)
const USER = 1
const SINCE = [new Date(Date.now() - 3_600_000).toISOString(), `${Date.now() - 1000}-0`]
/** Any two of them agree. */
const EVENT_TYPES = { eventType: ['completed', null], eventTypes: [['completed', 'failed'], null] }

/** What an operation needs to succeed: unchanged webhooks with deliveries. */
async function prepare ({ path }: Operation): Promise<Record<string, unknown[]>> {
  const ids = await Promise.all(Array.from({ length: 20 }, async () => await newWebhook()))
  await call('/webhooks/legacy', { method: 'PUT', body: { webhookUrl: receiver.url } })
  const [first = 0] = ids
  if (path.startsWith('/deliveries')) return { id: await Promise.all(ids.slice(0, 3).map(newDelivery)) }
  if (!path.includes('{replayId}')) return { id: ids, since: SINCE, until: [null], ...EVENT_TYPES }
  const { body: replay } = await call(`/webhooks/${first}/replay`, { method: 'POST', body: { since: SINCE[0] } })
  return { id: [first], replayId: [replay.id] }
}

const scopeFor = ({ path }: Operation) => path.startsWith('/operators') ? { scope: 'operator:read' } : {}

async function newWebhook (): Promise<number> {
  return (await call('/webhooks', { method: 'POST', body: { url: receiver.url, eventType: 'all' } })).body.id
}

/** One that has been delivered. */
async function newDelivery (webhookId: number): Promise<number> {
  const { body: { id } } = await call(`/webhooks/${webhookId}/test`, { method: 'POST' })
  await until(async () => (await call(`/deliveries/${id}`)).body.status === 'delivered')
  return id
}

for (const operation of operationsOf(await describeApi())) {
  t.test(`each request to ${operation.operationId} gets a documented response and never a 500`, async t => {
    const good = Object.fromEntries(
      Object.entries(await prepare(operation)).map(([name, values]) => [name, fc.constantFrom(...values)])
    )
    const statuses = await fuzz(
      operation,
      { ask: async request => await app.inject(request), known: { authorization: `Bearer ${tokenOf(USER, scopeFor(operation))}`, good } }
    )
    t.comment([...statuses].toSorted((a, b) => a - b).join(' '))
    t.ok([...statuses].some(status => status < 300), 'what is good is granted')
  })
}
