import t from 'tap'
import { Webhook } from 'standardwebhooks'
import { startReceiver, until, type TestContext } from '@tidings/testing'
import { rotateSecret } from '../../src/secrets/signing-secrets.ts'
import { deleteWebhook } from '../../src/webhooks/delete-webhook.ts'
import { updateWebhook } from '../../src/webhooks/update-webhook.ts'
import { jobOf, setup, SIGNING_SECRET } from '../setup.ts'

const PROGRESS = 30

/** Far longer than a test holds an answer back. */
const TIMEOUT_MS = 60_000

const { app, sql, append, createWebhook } = await setup(t, { WEBHOOK_TIMEOUT_MS: String(TIMEOUT_MS) })

/** A job's events in this process' hands: the first is on its way, and is answered when the test says so. */
async function setupHeld (t: TestContext, userId: string) {
  const gate = Promise.withResolvers<void>()
  const receiver = await startReceiver(t, async () => {
    await gate.promise
    return 200
  })
  const id = await createWebhook({ url: `${receiver.url}/old`, userId })
  await append(jobOf(userId, PROGRESS, { userId }))
  await receiver.waitFor(1)
  const hasStates = async (wanted: [string, number][]) => {
    const rows = await sql<{ state: string, n: number }[]>`
      select state, count(*)::int as n from webhooks.deliveries where webhook_id = ${id} group by state order by state`
    return JSON.stringify(rows.map(({ state, n }) => [state, n])) === JSON.stringify(wanted)
  }
  return { receiver, key: { userId, id }, answer: gate.resolve, hasStates }
}

const stepsOf = (requests: { json: unknown }[]) => requests.map(({ json }) => (json as { progress?: number }).progress)
const ALL = [...Array.from({ length: PROGRESS }, (_, i) => i + 1), undefined]

t.test('a changed url and secret apply from the next attempt, also to deliveries that already wait', async t => {
  const { receiver, key, answer } = await setupHeld(t, 'moving')
  const secret = await app.db.transaction(
    async tx => await rotateSecret(tx, app.secretBox, { userId: key.userId, webhookId: key.id })
  )
  await updateWebhook(app.db, key, { url: `${receiver.url}/new` }, app.secretBox)
  await until(() => app.delivery.endpoints.get(key.id)?.target?.url.endsWith('/new'))
  answer()

  const requests = await receiver.waitFor(PROGRESS + 1)
  t.same(stepsOf(requests), ALL)
  t.same(requests.map(({ url }) => url), ['/old', ...Array.from({ length: PROGRESS }, () => '/new')])
  for (const { body, headers } of requests.slice(1)) {
    for (const known of [secret, SIGNING_SECRET]) {
      t.ok(new Webhook(known).verify(body, headers as Record<string, string>))
    }
  }
})

t.test('another host applies from the next attempt too', async t => {
  const { receiver, key, answer } = await setupHeld(t, 'leaving')
  const other = await startReceiver(t)
  const before = app.delivery.endpoints.get(key.id)
  await updateWebhook(app.db, key, { url: other.url }, app.secretBox)
  await until(() => before?.isStopped)
  answer()
  t.same(stepsOf(await other.waitFor(PROGRESS)), ALL.slice(1))
  t.equal(receiver.requests.length, 1)
})

t.test('a paused webhook receives nothing more, and the rest once it is active again', async t => {
  const { receiver, key, answer, hasStates } = await setupHeld(t, 'pausing')
  await updateWebhook(app.db, key, { active: false }, app.secretBox)
  await until(() => app.delivery.endpoints.get(key.id)?.isStopped)
  answer()
  await until(async () => await hasStates([['delivered', 1], ['pending', PROGRESS]]))
  t.equal(receiver.requests.length, 1)
  await updateWebhook(app.db, key, { active: true }, app.secretBox)
  t.same(stepsOf(await receiver.waitFor(PROGRESS + 1)), ALL)
})

t.test('a deleted webhook receives nothing more', async t => {
  const { receiver, key, answer, hasStates } = await setupHeld(t, 'deleting')
  const endpoint = app.delivery.endpoints.get(key.id)
  await deleteWebhook(app.db, key)
  await until(() => endpoint?.isStopped)
  answer()
  await until(async () => await hasStates([['closed', PROGRESS], ['delivered', 1]]))
  t.equal(receiver.requests.length, 1)
})

t.test('a reactivated webhook receives new events at once', async t => {
  const receiver = await startReceiver(t, (_request, response) => {
    if (receiver.requests.length > 1) return 200
    response.writeHead(503, { 'retry-after': '3600' }).end()
  })
  const key = { userId: 'waiting', id: await createWebhook({ url: receiver.url, userId: 'waiting' }) }
  await append(jobOf('first', 0, key))
  await until(
    async () => (await sql`select from webhooks.webhooks where open_until > now() + interval '50 minutes'`).length === 1
  )
  await updateWebhook(app.db, key, { active: true }, app.secretBox)
  await append(jobOf('second', 0, key))
  t.match((await receiver.waitFor(2))[1]?.json, { id: 'second' })
})
