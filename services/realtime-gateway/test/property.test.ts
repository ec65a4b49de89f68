import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { compareEventIds, eventIdOf } from '@tidings/job-events'
import { freePort, spawnService, TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import { startSurroundings } from './setup/gateway.ts'
import { seededRandom } from './setup/random.ts'
import { RoamingClient } from './setup/roaming-client.ts'

const SEED = Number(process.env.TEST_SEED ?? 20261123)
const USERS = 10
const CLIENTS = 60
const JOBS = 20
const EVENTS = 6000
const BATCH = 25

t.test(`clients that roam between dying replicas receive each event once and in order (seed ${SEED})`, async t => {
  const random = seededRandom(SEED)
  const surroundings = await startSurroundings(t)
  const { redis, jobs } = surroundings
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  const urls = ports.map(port => `http://127.0.0.1:${port}`)
  const start = (port: number) => spawnService(t, {
    entry: fileURLToPath(new URL('../src/server.ts', import.meta.url)),
    env: {
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      TOKEN_SECRET: TEST_SECRET,
      REDIS_URL: redis.url,
      JOBS_API_URL: jobs.url,
      REALTIME_GATEWAY_PORT: String(port),
      REALTIME_DRAIN_MS: '500'
    },
    readyUrl: `http://127.0.0.1:${port}/readyz`
  })
  const replicas = await Promise.all(ports.map(start))

  const userOf = (i: number) => `user-${i % USERS}`
  const jobOf = (i: number) => `job-${i % JOBS}`
  const clients = Array.from({ length: CLIENTS }, (_, i) => new RoamingClient({
    t,
    kind: TRANSPORT_KINDS[i % TRANSPORT_KINDS.length] ?? 'sse',
    job: jobOf(i),
    token: tokenOf(userOf(i)),
    urls,
    random
  }))
  await jobs.publish(
    ...Array.from({ length: JOBS }, (_, i) => ({ userId: userOf(i), jobId: jobOf(i), type: 'active' as const }))
  )
  const roaming = clients.map(client => client.roam())
  await until(
    () => clients.every(
      ({ sessions, subscribes, subscriptions }) => sessions.length > 0 && (!subscribes || subscriptions.length > 0)
    )
  )

  const admin = redis.client()
  const cutTails = async () => {
    const list = await admin.client('LIST') as string
    const ids = list.split('\n').filter(line => line.includes('cmd=xread')).map(
      line => /id=(\d+)/.exec(line)?.[1] as string
    )
    for (const id of ids) await admin.client('KILL', 'ID', id).catch(() => {}) // it may be closed already
  }
  const faults: Record<number, () => Promise<unknown>> = {
    20: cutTails,
    40: async () => await (await replicas[0]?.kill('SIGKILL'), start(ports[0] as number)),
    60: cutTails,
    70: async () => {
      redis.pause()
      await sleep(2000)
      redis.resume()
    },
    90: cutTails
  }

  // By user, and by job.
  const published = new Map<string, string[]>()
  const note = (key: string, id: string) => published.set(key, [...published.get(key) ?? [], id])
  const striking: Promise<unknown>[] = []
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    const fault = faults[sent * 100 / EVENTS]
    if (fault) striking.push(fault())
    const events = Array.from({ length: BATCH }, (_, i) => {
      const job = random.between(0, JOBS)
      return { userId: userOf(job), jobId: jobOf(job), progress: sent + i }
    })
    const ids = await jobs.publish(...events)
    ids.forEach((id, i) => {
      note(events[i]?.userId ?? '', id)
      note(events[i]?.jobId ?? '', id)
    })
    await sleep(25)
  }
  await Promise.all(striking)
  for (const client of clients) client.settle()
  await Promise.all(roaming)
  // The events that each client received and those that it should have: of its user, and of its subscribed job.
  const views = clients.flatMap((client, i) => [
    { all: published.get(userOf(i)) ?? [], seen: () => client.eventIds },
    ...(client.subscribes ? [{ all: published.get(jobOf(i)) ?? [], seen: () => client.jobEventIds }] : [])
  ])
  await until(
    () => views.every(({ all, seen }) => seen().at(-1) === all.at(-1)), { what: 'the last event at every client' }
  )

  const faulty = { missing: 0, doubled: 0, reordered: 0, lost: 0 }
  let received = 0
  for (const { all, seen } of views) {
    const eventIds = seen()
    const unique = new Set(eventIds)
    received += eventIds.length
    // All clients were connected and subscribed before the first event.
    faulty.missing += all.filter(id => !unique.has(id)).length
    faulty.doubled += eventIds.length - unique.size
    faulty.reordered += eventIds.filter(
      (id, at) => at > 0 && compareEventIds(eventIdOf(id), eventIdOf(eventIds[at - 1] as string)) < 0
    ).length
  }
  for (const { sessions, subscriptions } of clients) {
    faulty.lost += sessions.slice(1).filter(
      client => client.of('session').some(({ recovered }) => recovered !== true)
    ).length
    faulty.lost += subscriptions.slice(1).filter(({ recovered }) => !recovered).length
  }
  const count = clients.reduce((sum, { sessions }) => sum + sessions.length, 0)
  t.comment(`${received} events in ${count} sessions of ${CLIENTS} clients`)
  t.same(faulty, { missing: 0, doubled: 0, reordered: 0, lost: 0 })
  t.ok(received >= EVENTS * CLIENTS / USERS)
})
