import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort, spawnService, startReceiver, until } from '@tidings/testing'
import { appender, jobOf, startApp, startStores, webhookCreator } from '../setup.ts'

t.test('what a killed dispatcher held is told by another long before its lease ends', async t => {
  const stores = await startStores(t)
  const settings = { WEBHOOK_LEASE: '10m', WEBHOOK_TIMEOUT_MS: '60000' }
  const port = await freePort()
  const victim = await spawnService(t, {
    entry: fileURLToPath(new URL('../../src/server.ts', import.meta.url)),
    env: { ...stores.env, ...settings, WEBHOOK_DISPATCHER_PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`
  })
  let hangs = true
  const receiver = await startReceiver(t, () => hangs ? undefined : 200)
  await webhookCreator(stores.sql)({ url: receiver.url })
  await appender(stores.redis)(jobOf('a', 0))
  await receiver.waitFor(1)
  await until(async () => (await stores.sql`select from webhooks.deliveries where claim is not null`).length === 1, { what: 'the row to be held' })

  hangs = false
  await victim.kill('SIGKILL')
  await startApp(t, stores, settings)
  await until(async () => (await stores.sql`select from webhooks.deliveries where state = 'delivered'`).length === 1, { what: 'the second attempt' })
  const ids = receiver.requests.map(({ headers }) => headers['webhook-id'])
  t.same(ids, [ids[0], ids[0]], 'told again under the same id')
})

t.test('who loses only its connection keeps its name and its claims', async t => {
  const stores = await startStores(t)
  const [app, other] = [await startApp(t, stores), await startApp(t, stores)]
  const name = app.delivery.claimant.id as number
  const holders = async () => await stores.sql<{ pid: number }[]>`select pid from pg_locks where locktype = 'advisory' and objid = ${name} and granted`
  const [before] = await holders()
  await stores.sql`select pg_terminate_backend(${before?.pid as number})`
  await until(async () => {
    const [holder] = await holders()
    return holder !== undefined && holder.pid !== before?.pid
  }, { what: 'the lock to be taken again' })
  // Longer than the others wait before they take its claims.
  await sleep(3000)
  t.equal(app.delivery.claimant.id, name)
  t.same((await stores.sql<{ id: string }[]>`select id from webhooks.claimants order by id`).map(({ id }) => Number(id)), [name, other.delivery.claimant.id])
})
