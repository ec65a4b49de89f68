import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort, spawnService, startReceiver, until, type TestContext } from '@tidings/testing'
import t from 'tap'
import { appender, jobOf, setup, startStores, webhookCreator, type Stores } from '../../setup.ts'

const SERVER = fileURLToPath(new URL('../../../src/server.ts', import.meta.url))
const TIMEOUT_MS = 2000
const FROZEN_MS = 2 * TIMEOUT_MS

/** A dispatcher in a process of its own, which can be frozen. */
async function startDispatcher (t: TestContext, { env }: Stores) {
  const port = await freePort()
  const service = await spawnService(t, {
    entry: SERVER,
    env: {
      ...env,
      WEBHOOK_TIMEOUT_MS: String(TIMEOUT_MS),
      WEBHOOK_LEASE: '5m',
      WEBHOOK_RETRY_SCHEDULE: '10m',
      WEBHOOK_DISPATCHER_PORT: String(port)
    },
    readyUrl: `http://127.0.0.1:${port}/readyz`
  })
  return {
    metrics: async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    output: service.output,
    freeze: async () => {
      service.process.kill('SIGSTOP')
      await sleep(FROZEN_MS)
      service.process.kill('SIGCONT')
    }
  }
}

t.test('a response that arrived while the dispatcher was frozen counts, even after the deadline', async t => {
  const stores = await startStores(t)
  const { freeze } = await startDispatcher(t, stores)
  const frozen = Promise.withResolvers<void>()
  const receiver = await startReceiver(t, async () => {
    await frozen.promise
    return 200
  })
  await webhookCreator(stores.sql)({ url: receiver.url })
  await appender(stores.redis)(jobOf('1', 0))
  await receiver.waitFor(1)
  const thawed = freeze()
  frozen.resolve()
  await thawed
  await until(async () => (
    await stores.sql`select from webhooks.deliveries where state = 'delivered' and attempts = 1`
  ).length === 1, { what: 'it to be delivered' })
  t.equal(receiver.requests.length, 1)
  t.equal((await stores.sql`select from webhooks.webhooks where failures = 0`).length, 1)
})

t.test('an attempt that failed because the dispatcher was frozen is not counted and supersedes nothing', async t => {
  const stores = await startStores(t)
  const { freeze, metrics, output } = await startDispatcher(t, stores)
  let isSilent = true
  const receiver = await startReceiver(t, () => isSilent ? undefined : 200)
  await webhookCreator(stores.sql)({ url: receiver.url })
  await appender(stores.redis)(jobOf('1', 5))
  await receiver.waitFor(1)
  const thawed = freeze()
  isSilent = false
  receiver.requests.length = 0
  await receiver.stop() // its connections end while nobody looks
  await receiver.start()
  await thawed
  await until(async () => (
    await stores.sql`select from webhooks.deliveries where state = 'delivered' and attempts = 1`
  ).length === 6, { what: 'all to be delivered' })
  t.same(receiver.requests.map(({ headers }) => headers['webhook-attempt']), Array.from({ length: 6 }, () => '1'))
  t.equal((await stores.sql`select from webhooks.webhooks where failures = 0`).length, 1)
  t.match(await metrics(), /^tidings_webhook_own_faults_total\{reason="frozen"\} 1$/m)
  t.match(output(), /"reason":"frozen".*own fault/)
})

t.test('a secret that no key decrypts is an own fault, not the endpoint\'s', async t => {
  const { app, append, createWebhook, sql } = await setup(t, { LOG_LEVEL: 'silent' })
  const receiver = await startReceiver(t)
  const id = await createWebhook({ url: receiver.url })
  await sql`update webhooks.secrets set ciphertext = 'v1.AAAA.AAAA' where webhook_id = ${id}`
  await append(jobOf('1', 3))
  await until(
    async () => /own_faults_total\{reason="secret"\} [1-9]/.test(await app.metricsRegistry.metrics()),
    { what: 'it to be counted' }
  )
  await until(
    async () => (await sql`select from webhooks.deliveries where state = 'pending' and attempts = 0`).length === 4,
    { what: 'all to wait' }
  )
  t.equal((await sql`select from webhooks.webhooks where failures = 0 and open_until is null`).length, 1)
  t.equal(receiver.requests.length, 0)
})

t.test('a receiver that closes kept connections just as the next request comes costs nothing', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const served = new WeakSet<object>()
  const receiver = await startReceiver(t, (_request, response) => {
    const { socket } = response
    if (!socket || !served.has(socket)) {
      if (socket) served.add(socket)
      return 200
    }
    socket.destroy()
  })
  await createWebhook({ url: receiver.url })
  for (const jobId of ['1', '2', '3']) await append(jobOf(jobId, 10))
  await until(
    async () => (await sql`select from webhooks.deliveries where state = 'delivered' and attempts = 1`).length === 33,
    { what: 'all to be delivered' }
  )
  t.equal((await sql`select from webhooks.attempts where error_class is not null`).length, 0)
  t.equal(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size, 33)
})
