import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort, spawnService, startReceiver, until } from '@tidings/testing'
import { WORKER_LOCKS } from '../../../src/delivery/claim/worker-lease.ts'
import { appender, jobOf, startApp, startStores, webhookCreator } from '../../setup.ts'

t.test('deliveries of a killed dispatcher are sent by another one long before its lease ends', async t => {
  const stores = await startStores(t)
  const settings = { WEBHOOK_LEASE: '10m', WEBHOOK_TIMEOUT_MS: '60000' }
  const port = await freePort()
  const victim = await spawnService(t, {
    entry: fileURLToPath(new URL('../../../src/server.ts', import.meta.url)),
    env: { ...stores.env, ...settings, WEBHOOK_DISPATCHER_PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`
  })
  let hangs = true
  const receiver = await startReceiver(t, () => hangs ? undefined : 200)
  await webhookCreator(stores.sql)({ url: receiver.url })
  await appender(stores.redis)(jobOf('a', 0))
  await receiver.waitFor(1)
  await until(
    async () => (await stores.sql`select from webhooks.deliveries where claim is not null`).length === 1,
    { what: 'the row to be held' }
  )

  hangs = false
  await victim.kill('SIGKILL')
  await startApp(t, stores, settings)
  await until(
    async () => (await stores.sql`select from webhooks.deliveries where state = 'delivered'`).length === 1,
    { what: 'the second attempt' }
  )
  const ids = receiver.requests.map(({ headers }) => headers['webhook-id'])
  t.same(ids, [ids[0], ids[0]], 'sent again under the same id')
})

t.test('a worker that loses only its connection keeps its id and its claims', async t => {
  const stores = await startStores(t)
  const [app, other] = [await startApp(t, stores), await startApp(t, stores)]
  const name = app.delivery.lease.workerId as number
  // The view shows those of all databases of the cluster, where other tests' dispatchers have the same numbers.
  const holders = async () => await stores.sql<{ pid: number }[]>`
    select l.pid from pg_locks l join pg_database d on d.oid = l.database
    where d.datname = current_database() and l.locktype = 'advisory' and l.classid = ${WORKER_LOCKS} and l.objid = ${name} and l.granted`
  const [before] = await holders()
  await stores.sql`select pg_terminate_backend(${before?.pid as number})`
  await until(async () => {
    const [holder] = await holders()
    return holder !== undefined && holder.pid !== before?.pid
  }, { what: 'the lock to be taken again' })
  // Longer than the others wait before they take its claims.
  await sleep(3000)
  t.equal(app.delivery.lease.workerId, name)
  t.same(
    (await stores.sql<{ id: string }[]>`select id from webhooks.workers order by id`).map(({ id }) => Number(id)),
    [name, other.delivery.lease.workerId]
  )
})

t.test('a worker that lost the answer to a claim takes a new id, and the claimed rows are free', async t => {
  const stores = await startStores(t)
  const app = await startApp(t, stores, { LOG_LEVEL: 'silent' })
  const receiver = await startReceiver(t)
  const id = await webhookCreator(stores.sql)({ url: receiver.url })
  const name = app.delivery.lease.workerId
  await stores.sql.unsafe(`
    create sequence public.claims;
    create function public.hang_up () returns trigger language plpgsql as $$ begin
      if nextval('public.claims') = 1 then perform pg_terminate_backend(pg_backend_pid()); end if;
      return new;
    end $$;
    create trigger hang_up before update on webhooks.deliveries for each row when (old.claim is null and new.claim is not null) execute function public.hang_up();`)
  await stores.sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, type, state, message_id, body, claim)
    values (${id}, 0, 0, 'test', 'completed', 'pending', 'test-1', '{}', null), (${id}, 0, 0, 'test', 'completed', 'pending', 'test-2', '{}', ${name as number})`
  await until(
    async () => (await stores.sql`select from webhooks.deliveries where state = 'delivered'`).length === 2,
    { what: 'both to be delivered' }
  )
  t.not(app.delivery.lease.workerId, name)
  t.equal((await stores.sql`select from webhooks.workers where id = ${name as number}`).length, 0)
})
