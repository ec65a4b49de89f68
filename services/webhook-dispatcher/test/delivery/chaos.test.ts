import t from 'tap'
import { fileURLToPath } from 'node:url'
import postgres, { type Sql } from 'postgres'
import {
  freePort, spawnService, startPostgres, startReceiver, startRedis, until, type ReceivedRequest,
  type SpawnedService, type TestContext
} from '@tidings/testing'
import { appender, environment, jobOf, webhookCreator, type NewEvent, type Settings } from '../setup.ts'

const SERVER = fileURLToPath(new URL('../../src/server.ts', import.meta.url))
const USERS = ['1', '2', '3', '4', '5', '6', '7', '8']
/** `npm run chaos-services` sets CHAOS=long; `npm test` has a shorter run with each kind of trouble. */
const isLong = process.env.CHAOS === 'long'
const JOBS = isLong ? 100 : 40
const EVENTS_OF_JOB = 100
const EVENTS = JOBS * EVENTS_OF_JOB
const ENDPOINTS = 3
const DELIVERIES = EVENTS * ENDPOINTS
/** Jobs that run at the same time. */
const ABREAST = 10
/**
 * Events that may be appended before the oldest of them is written as delivered at all endpoints: what a replica has in
 * hand is never more.
 */
const WINDOW = 400
const IN_HAND = WINDOW * ENDPOINTS
/** One after the other as deliveries arrive, at even distances. */
const SHORT_TROUBLES = ['kill', 'redis', 'kill', 'postgres', 'kill'] as const
const LONG_TROUBLES = [
  'kill', 'kill', 'kill', 'redis', 'kill', 'kill', 'kill', 'postgres', 'kill', 'kill', 'kill', 'kill'
] as const
const TROUBLES = isLong ? LONG_TROUBLES : SHORT_TROUBLES
/** For each wait; far more than a slow machine takes. */
const PATIENCE = { timeoutMs: 120_000, intervalMs: 50 }

t.setTimeout(600_000)

t.test('while replicas are killed and stores restart nothing is lost, order holds, only requests repeat', async t => {
  const [database, redis] = await Promise.all([startPostgres(t), startRedis(t, { appendonly: true })])
  const env = {
    ...environment(database.url, redis),
    WEBHOOK_LEASE: '1s',
    WEBHOOK_TIMEOUT_MS: '60000', // at an endpoint that fails progress would give way,
    WEBHOOK_PROGRESS_LAG: '1h', // and at a slow one, as all look while this machine is busy
    INGEST_SHARDS: '2'
  }
  const replicas = await Promise.all([startReplica(t, env), startReplica(t, env)])
  const sql = postgres(database.url, { max: 2, onnotice: () => {} })
  t.teardown(() => sql.end({ timeout: 1 }))
  await keepNames(sql)

  const tallies = await Promise.all(Array.from({ length: ENDPOINTS }, () => startTally(t)))
  const createWebhook = webhookCreator(sql)
  for (const userId of USERS) for (const { url } of tallies) await createWebhook({ url, userId })
  const arrived = () => tallies.reduce((sum, { received }) => sum + received.size, 0)

  const cause = {
    redis: redis.restart,
    async postgres () {
      await database.kill()
      await database.start()
    },
    async kill () {
      const at = replicas.indexOf(
        await until(() => readerOf(sql, replicas), { ...PATIENCE, what: 'a replica to read' })
      )
      await replicas[at]?.kill('SIGKILL')
      replicas[at] = await startReplica(t, env)
    }
  }
  async function makeTrouble (): Promise<void> {
    for (const [n, trouble] of TROUBLES.entries()) {
      const due = Math.floor(DELIVERIES * (n + 0.5) / TROUBLES.length)
      await until(() => arrived() >= due, { ...PATIENCE, what: `${due} deliveries` })
      await cause[trouble]()
    }
  }
  await Promise.all([feed(appender(redis), sql), makeTrouble()])

  await until(() => arrived() >= DELIVERIES, { ...PATIENCE, what: 'all deliveries to arrive' })
  await until(async () => await delivered(sql) === DELIVERIES, { ...PATIENCE, what: 'all outcomes to be written' })
  t.equal(await delivered(sql), (await sql`select from webhooks.deliveries`).length, 'nothing else became of any')
  for (const [i, { received, ids, disorder }] of tallies.entries()) {
    t.equal(received.size, EVENTS, `all events at endpoint ${i}`)
    t.equal(ids.size, EVENTS, `each under one webhook-id at endpoint ${i}, however often it came`)
    t.same(disorder, [], `order per job at endpoint ${i}`)
  }
  const ended = await namesOf(sql) - replicas.length
  const doubles = tallies.reduce((sum, { requests }) => sum + requests.length, 0) - DELIVERIES
  t.ok(ended >= TROUBLES.filter(trouble => trouble === 'kill').length)
  t.ok(doubles <= ended * IN_HAND, `${doubles} doubles, ${ended} times at most ${IN_HAND}`)
  t.comment(`${doubles} doubles of ${DELIVERIES}, ${ended} names ended with what they had in hand`)
})

async function startReplica (t: TestContext, env: Settings): Promise<SpawnedService> {
  const port = await freePort()
  return await spawnService(
    t,
    {
      entry: SERVER,
      env: {
        ...env, WEBHOOK_DISPATCHER_PORT: String(port)
      },
      readyUrl: `http://127.0.0.1:${port}/readyz`,
      readyTimeoutMs: PATIENCE.timeoutMs
    }
  )
}

/** A living replica that holds a shard: one whose end interrupts something. */
async function readerOf (sql: Sql, replicas: SpawnedService[]): Promise<SpawnedService | undefined> {
  const readers = await sql<{ host: string }[]>`
    select c.host from webhooks.shard_positions p join webhooks.workers c on c.id = p.worker_id where c.lease_until > now() order by p.shard`
  return replicas.find(({ pid }) => readers.some(({ host }) => host.endsWith(`:${pid}`)))
}

/**
 * What a replica has in hand it has under a name, and only with that name's
 * end (a SIGKILL, a lease that lapsed while Postgres was away or the machine
 * slow) is it posted again. So names are counted, those too that were deleted.
 */
async function keepNames (sql: Sql): Promise<void> {
  await sql.unsafe(`
    create table public.names as select id from webhooks.workers;
    create function public.keep_name () returns trigger language plpgsql as $$ begin insert into public.names values (new.id); return new; end $$;
    create trigger keep_name before insert on webhooks.workers for each row execute function public.keep_name();`)
}

async function namesOf (sql: Sql): Promise<number> {
  return (await sql`select from public.names`).length
}

async function delivered (sql: Sql): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from webhooks.deliveries where state = 'delivered'`
  return row?.n ?? 0
}

async function feed (append: (events: NewEvent[]) => Promise<void>, sql: Sql): Promise<void> {
  let sent = 0
  for (const events of story()) {
    await until(
      async () => await delivered(sql) >= (sent + events.length - WINDOW) * ENDPOINTS,
      { ...PATIENCE, what: `events after ${sent} events` }
    )
    await until(() => append(events).then(() => true), { ...PATIENCE, what: 'Redis to take events' })
    sent += events.length
  }
}

/** All events in small appends: of each of ten jobs one, then of each the next. */
function story (): NewEvent[][] {
  const jobs = Array.from(
    { length: JOBS }, (_, job) => jobOf(String(job), EVENTS_OF_JOB - 1, { userId: USERS[job % USERS.length] as string })
  )
  const events = Array.from({ length: JOBS / ABREAST }, (_, i) => jobs.slice(i * ABREAST, (i + 1) * ABREAST))
    .flatMap(abreast => Array.from({ length: EVENTS_OF_JOB }, (_, n) => abreast.flatMap(job => job[n] ?? [])).flat())
  return Array.from({ length: EVENTS / 50 }, (_, i) => events.slice(i * 50, (i + 1) * 50))
}

/**
 * A receiver that keeps account of which events came, under which ids, and whether each came first after the one before
 * it.
 */
async function startTally (t: TestContext) {
  const received = new Set<string>()
  const ids = new Set<unknown>()
  const newest = new Map<string, number>()
  const disorder: string[] = []
  const { url, requests } = await startReceiver(t, ({ headers, json }: ReceivedRequest) => {
    const { id, progress: step = EVENTS_OF_JOB } = json as { id: string, progress?: number }
    ids.add(headers['webhook-id'])
    if (received.has(`${id} ${step}`)) return 200
    received.add(`${id} ${step}`)
    if (step !== (newest.get(id) ?? 0) + 1) disorder.push(`${id} ${step}`)
    newest.set(id, step)
    return 200
  })
  return { url, requests, received, ids, disorder }
}
