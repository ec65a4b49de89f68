import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { jobOf, setup } from '../setup.ts'

const { append, createWebhook, sql } = await setup(t)
const receiver = await startReceiver(t)

type Selection = { eventTypes?: string[], filter?: object }

/** A webhook of a user of its own. */
async function select (userId: string, { eventTypes, filter }: Selection): Promise<number> {
  const id = await createWebhook({ url: `${receiver.url}/${userId}`, userId })
  await sql`
    update webhooks.webhooks set event_types = ${eventTypes ?? null}, filter = ${filter ? sql.json(filter as never) : null}
    where id = ${id}`
  return id
}

/** What was delivered to the user's webhook, once all of the user's events have been read. */
async function deliveredTo (userId: string): Promise<string[]> {
  const marker = await createWebhook({ url: `${receiver.url}/marker`, userId })
  await append([{ type: 'completed', jobId: `${userId}-marker`, userId, name: 'marker' }])
  // Earlier events of the user may be read after the marker's webhook exists, and go there too.
  await until(async () => (await sql`
    select from webhooks.deliveries where webhook_id = ${marker} and chain like '%-marker' and state = 'delivered'`
  ).length === 1)
  const rows = await sql<{ chain: string, type: string }[]>`
    select chain, type from webhooks.deliveries d join webhooks.webhooks w on w.id = d.webhook_id
    where w.user_id = ${userId} and w.url like ${`%/${userId}`} and chain not like '%-marker' order by d.id`
  return rows.map(({ chain, type }) => `${chain.split(':')[1]} ${type}`)
}

t.test('a webhook receives the event types of its list', async t => {
  await select('types', { eventTypes: ['completed', 'failed'] })
  await append([...jobOf('a', 2, { userId: 'types' }), { type: 'failed', jobId: 'b', userId: 'types', error: 'no' }])
  t.same((await deliveredTo('types')).toSorted(), ['a completed', 'b failed'])
})

t.test('a list beside a single event type, which a dispatcher of the release before leaves, is ignored', async t => {
  const id = await select('single', { eventTypes: ['completed', 'failed'] })
  await sql`update webhooks.webhooks set event_type = 'progress' where id = ${id}`
  await append(jobOf('single', 1, { userId: 'single' }))
  t.same(await deliveredTo('single'), ['single progress'])
})

t.test('a webhook receives the events of the queues and names of its filter', async t => {
  const userId = 'filter'
  await select(userId, { filter: { queues: ['default', 'other'], names: ['monthly', 'yearly'] } })
  await append([
    { type: 'completed', jobId: 'filter-a', userId, name: 'monthly' },
    { type: 'completed', jobId: 'filter-b', userId, name: 'month' },
    { type: 'completed', jobId: 'filter-c', userId, name: 'yearly', queue: 'reports' },
    { type: 'completed', jobId: 'filter-d', userId, name: 'yearly', queue: 'other' }
  ])
  t.same((await deliveredTo(userId)).toSorted(), ['filter-a completed', 'filter-d completed'])
})

t.test('a changed filter applies to the events after it', async t => {
  const userId = 'changed'
  const id = await select(userId, { filter: { names: ['first'] } })
  const both = async (n: number) => await append([
    { type: 'completed', jobId: `first-${n}`, userId, name: 'first' },
    { type: 'completed', jobId: `second-${n}`, userId, name: 'second' }
  ])
  await both(1)
  await until(async () => (
    await sql`select from webhooks.deliveries where webhook_id = ${id} and state = 'delivered'`
  ).length === 1)
  await sql`update webhooks.webhooks set filter = ${sql.json({ names: ['second'] })} where id = ${id}`
  await both(2)
  t.same((await deliveredTo(userId)).toSorted(), ['first-1 completed', 'second-2 completed'])
})
