import { randomUUID } from 'node:crypto'
import { startReceiver, until } from '@tidings/testing'
import t from 'tap'
import { setup } from './setup.ts'

const { call, sql } = await setup(t)
const newUser = () => `user-${randomUUID()}`
const url = 'https://example.com/webhook'

async function create (body: object, user = newUser()) {
  return await call('/webhooks', { method: 'POST', user, body: { url, ...body } })
}

t.test('a webhook shows its event types as a list and as one word', async t => {
  const all = ['progress', 'completed', 'failed']
  const cases: [given: object, eventType: string, eventTypes: string[]][] = [
    [{ eventType: 'failed' }, 'failed', ['failed']],
    [{ eventType: 'all' }, 'all', all],
    [{ eventTypes: ['failed'] }, 'failed', ['failed']],
    [{ eventTypes: ['failed', 'completed'] }, 'failed', ['failed', 'completed']],
    [{ eventTypes: ['failed', 'completed', 'progress'] }, 'all', all],
    [{ eventType: 'completed', eventTypes: ['completed', 'failed'] }, 'completed', ['completed', 'failed']],
    [{ eventType: null, eventTypes: ['completed'] }, 'completed', ['completed']],
    [{ eventType: 'completed', eventTypes: null, filter: null }, 'completed', ['completed']]
  ]
  for (const [given, eventType, eventTypes] of cases) {
    const { status, body } = await create(given)
    t.same([status, body.eventType, body.eventTypes], [201, eventType, eventTypes], JSON.stringify(given))
    t.same(body.filter, {})
  }
})

t.test('an update changes the event types by either field; the other follows', async t => {
  const user = newUser()
  const { body: { id } } = await create({ eventTypes: ['completed', 'failed'] }, user)
  const put = async (body: object) => (await call(`/webhooks/${id}`, { method: 'PUT', user, body })).body
  t.match(await put({ description: 'same' }), { eventType: 'completed', eventTypes: ['completed', 'failed'] })
  t.match(await put({ eventType: 'all' }), { eventType: 'all', eventTypes: ['progress', 'completed', 'failed'] })
  const eventTypes = ['progress', 'failed']
  t.match(await put({ eventTypes }), { eventType: 'progress', eventTypes })
  t.match(await put({ eventType: 'failed' }), { eventType: 'failed', eventTypes: ['failed'] })
})

t.test('a filter is kept as it was sent, replaced as a whole, and removed by an empty one', async t => {
  const user = newUser()
  const filter = { queues: ['reports', 'default'], names: ['monthly', 'say "hi" \\ ü'] }
  const { body: { id, filter: created } } = await create({ eventType: 'all', filter }, user)
  t.same(created, filter)
  const put = async (given: object) => (
    await call(`/webhooks/${id}`, { method: 'PUT', user, body: { filter: given } })
  ).body.filter
  t.same(await put({ names: ['weekly'] }), { names: ['weekly'] })
  t.same(await put({ queues: ['reports'], names: null }), { queues: ['reports'] })
  t.same(await put({}), {})
})

t.test('what a GET returns changes nothing when it is sent back', async t => {
  const user = newUser()
  const { body: { id } } = await create({ eventTypes: ['failed', 'progress'], filter: { names: ['x'] } }, user)
  const { body: shown } = await call(`/webhooks/${id}`, { user })
  const { status, body } = await call(`/webhooks/${id}`, { method: 'PUT', user, body: shown })
  t.same([status, body], [200, { ...shown, updatedAt: body.updatedAt }])
})

t.test('each fault of event types and filter is reported with its path', async t => {
  const user = newUser()
  const { body: { id } } = await create({ eventType: 'all' }, user)
  const many = Array.from({ length: 101 }, (_, i) => `job ${i}`)
  const faults: [object, string][] = [
    [{ eventTypes: [] }, 'body.eventTypes'],
    [{ eventTypes: ['all'] }, 'body.eventTypes.0'],
    [{ eventTypes: ['failed', 'failed'] }, 'body.eventTypes'],
    [{ eventType: 'all', eventTypes: ['failed'] }, 'body.eventTypes'],
    [{ eventType: 'failed', eventTypes: ['completed', 'failed'] }, 'body.eventTypes'],
    [{ eventType: 'all', filter: [] }, 'body.filter'],
    [{ eventType: 'all', filter: { name: ['x'] } }, 'body.filter.name'],
    [{ eventType: 'all', filter: { names: [] } }, 'body.filter.names'],
    [{ eventType: 'all', filter: { names: many } }, 'body.filter.names'],
    [{ eventType: 'all', filter: { names: ['x', 'x'] } }, 'body.filter.names'],
    [{ eventType: 'all', filter: { names: [''] } }, 'body.filter.names.0'],
    [{ eventType: 'all', filter: { queues: ['a:b'] } }, 'body.filter.queues.0'],
    [{ eventType: 'all', filter: { queues: ['x'.repeat(129)] } }, 'body.filter.queues.0']
  ]
  for (const [body, path] of faults) {
    for (const { status, body: problem } of [await create(body), await call(`/webhooks/${id}`, { method: 'PUT', user, body })]) {
      t.same([status, problem.errors?.[0]?.path], [400, path], `${JSON.stringify(body).slice(0, 80)} ${JSON.stringify(problem.errors)}`)
    }
  }
  for (const body of [{}, { eventType: null }]) {
    t.match(await create(body), { status: 400, body: { errors: [{ path: 'body.eventType' }] } })
  }
})

t.test('a test event is of the first selected type', async t => {
  const user = newUser()
  const receiver = await startReceiver(t)
  const { body: { id } } = await create({ url: receiver.url, eventTypes: ['failed', 'progress'] }, user)
  t.match((await call(`/webhooks/${id}/test`, { method: 'POST', user })).body, { eventType: 'failed' })
  await receiver.waitFor(1)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length > 0)
})
