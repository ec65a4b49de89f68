import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { compareEventIds, eventIdOf } from '@tidings/job-events'
import { freePort, spawnService, TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { FACES } from '../src/session/wire.ts'
import { startSurroundings } from './setup/gateway.ts'
import { seededRandom } from './setup/random.ts'
import { Wanderer } from './setup/wanderer.ts'

const SEED = Number(process.env.TEST_SEED ?? 20261123)
const USERS = 10
const CLIENTS = 60
const JOBS = 20
const EVENTS = 6000
const BATCH = 25

t.test(`clients that wander between replicas which die miss nothing, and get nothing twice or out of order (seed ${SEED})`, async t => {
  const random = seededRandom(SEED)
  const surroundings = await startSurroundings(t)
  const { redis, jobs } = surroundings
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  const urls = ports.map(port => `http://127.0.0.1:${port}`)
  const start = (port: number) => spawnService(t, {
    entry: fileURLToPath(new URL('../src/server.ts', import.meta.url)),
    env: { NODE_ENV: 'test', LOG_LEVEL: 'fatal', TOKEN_SECRET: TEST_SECRET, REDIS_URL: redis.url, JOBS_API_URL: jobs.url, REALTIME_GATEWAY_PORT: String(port), REALTIME_DRAIN_MS: '500' },
    readyUrl: `http://127.0.0.1:${port}/readyz`
  })
  const replicas = await Promise.all(ports.map(start))

  const userOf = (i: number) => `user-${i % USERS}`
  const wanderers = Array.from({ length: CLIENTS }, (_, i) => new Wanderer({
    t, face: FACES[i % FACES.length] ?? 'sse', token: tokenOf(userOf(i)), urls, random
  }))
  const wandering = wanderers.map(wanderer => wanderer.wander())
  await until(() => wanderers.every(({ sessions }) => sessions.length > 0))

  const admin = redis.client()
  const cutTails = async () => {
    const list = await admin.client('LIST') as string
    const ids = list.split('\n').filter(line => line.includes('cmd=xread')).map(line => /id=(\d+)/.exec(line)?.[1] as string)
    for (const id of ids) await admin.client('KILL', 'ID', id).catch(() => {}) // it may have gone by itself
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

  const told = new Map<string, string[]>()
  const striking: Promise<unknown>[] = []
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    const fault = faults[sent * 100 / EVENTS]
    if (fault) striking.push(fault())
    const events = Array.from({ length: BATCH }, (_, i) => {
      const job = random.between(0, JOBS)
      return { userId: userOf(job), jobId: `job-${job}`, progress: sent + i }
    })
    const ids = await jobs.tell(...events)
    ids.forEach((id, i) => told.set(events[i]?.userId ?? '', [...told.get(events[i]?.userId ?? '') ?? [], id]))
    await sleep(25)
  }
  await Promise.all(striking)
  for (const wanderer of wanderers) wanderer.rest()
  await Promise.all(wandering)
  await until(() => wanderers.every(({ eventIds }, i) => eventIds.at(-1) === told.get(userOf(i))?.at(-1)), { what: 'the last event at every client' })

  const faulty = { missing: 0, doubled: 0, reordered: 0, lost: 0 }
  let received = 0
  for (const [i, { sessions, eventIds }] of wanderers.entries()) {
    const seen = new Set(eventIds)
    received += eventIds.length
    // All were connected before the first event.
    faulty.missing += (told.get(userOf(i)) ?? []).filter(id => !seen.has(id)).length
    faulty.doubled += eventIds.length - seen.size
    faulty.reordered += eventIds.filter((id, at) => at > 0 && compareEventIds(eventIdOf(id), eventIdOf(eventIds[at - 1] as string)) < 0).length
    faulty.lost += sessions.slice(1).filter(({ told }) => told.some(({ event, data }) => event === 'session' && data.recovered !== true)).length
  }
  const count = wanderers.reduce((sum, { sessions }) => sum + sessions.length, 0)
  t.comment(`${received} events in ${count} sessions of ${CLIENTS} clients`)
  t.same(faulty, { missing: 0, doubled: 0, reordered: 0, lost: 0 })
  t.ok(received >= EVENTS * CLIENTS / USERS)
})
