import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { freePort, spawnService, startPostgres, startReceiver, startRedis, TEST_SECRET, until, type ReceivedRequest, type SpawnedService, type TestContext } from '@tidings/testing'
import { appender, jobOf, SECRET_KEY, webhookCreator, type Settings } from '../setup.ts'

const SERVER = fileURLToPath(new URL('../../src/server.ts', import.meta.url))
const JOBS = 30
const PROGRESS = 30
const EVENTS = JOBS * (PROGRESS + 1)
const ENDPOINTS = 3
const KILLS = 4
/** Four batches that are not written yet, each of one append to all endpoints, and ten in flight each. */
const IN_FLIGHT = 4 * (PROGRESS + 1) * ENDPOINTS + 10 * ENDPOINTS

t.test('two replicas, killed in turn, and both stores restarted: nothing is lost, doubles are few, order holds', async t => {
  const [database, redis] = await Promise.all([startPostgres(t), startRedis(t, { appendonly: true })])
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    TOKEN_SECRET: TEST_SECRET,
    WEBHOOK_SECRET_KEY: SECRET_KEY,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_LEASE: '1s',
    LOG_LEVEL: 'error'
  }
  const replicas = await Promise.all([startReplica(t, env), startReplica(t, env)])
  const sql = postgres(database.url, { max: 1, onnotice: () => {} })
  t.teardown(() => sql.end({ timeout: 1 }))

  const createWebhook = webhookCreator(sql)
  const receivers = await Promise.all(Array.from({ length: ENDPOINTS }, () => startReceiver(t)))
  for (const { url } of receivers) await createWebhook({ url })

  const append = appender(redis)
  const killing = kill(t, replicas, env)
  for (let job = 0; job < JOBS; job++) {
    await until(() => append(jobOf(String(job), PROGRESS)).then(() => true), { what: 'Redis to take events' })
    if (job === 10) await redis.restart()
    if (job === 20) {
      await database.kill()
      await database.start()
    }
    await sleep(100)
  }
  await killing

  for (const [i, { requests }] of receivers.entries()) {
    await until(() => idsOf(requests).size === EVENTS, { timeoutMs: 20_000, what: `all events at endpoint ${i}` })
    t.ok(isOrdered(requests), `order per job at endpoint ${i}`)
  }
  const doubles = receivers.reduce((sum, { requests }) => sum + requests.length - EVENTS, 0)
  t.ok(doubles <= (KILLS + 1) * IN_FLIGHT, `${doubles} doubles`)
  t.comment(`${doubles} doubles of ${ENDPOINTS * EVENTS}`)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === ENDPOINTS * EVENTS, { what: 'all outcomes in Postgres' })
})

async function startReplica (t: TestContext, env: Settings): Promise<SpawnedService> {
  const port = await freePort()
  return await spawnService(t, { entry: SERVER, env: { ...env, WEBHOOK_DISPATCHER_PORT: String(port) }, readyUrl: `http://127.0.0.1:${port}/readyz` })
}

async function kill (t: TestContext, replicas: SpawnedService[], env: Settings): Promise<void> {
  for (let i = 0; i < KILLS; i++) {
    await sleep(1000)
    await replicas[i % 2]?.kill('SIGKILL')
    replicas[i % 2] = await startReplica(t, env)
  }
}

function idsOf (requests: ReceivedRequest[]): Set<unknown> {
  return new Set(requests.map(({ headers }) => headers['webhook-id']))
}

/** Whether the first of each event came after the first of the one before it. */
function isOrdered (requests: ReceivedRequest[]): boolean {
  const newest = new Map<string, number>()
  const seen = new Set<unknown>()
  return requests.every(({ headers, json }) => {
    if (seen.has(headers['webhook-id'])) return true
    seen.add(headers['webhook-id'])
    const { id, progress = Infinity } = json as { id: string, progress?: number }
    const inOrder = progress > (newest.get(id) ?? 0)
    newest.set(id, progress)
    return inOrder
  })
}
