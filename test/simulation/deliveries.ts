import { setTimeout as pause } from 'node:timers/promises'
import { decode, formatEventId, isNewer, ZERO, type EventId } from '@tidings/job-events'
import { EPOCH_KEY, JOB_EVENTS_KEY, webhookMessage } from '@tidings/contracts'
import { createLoops } from '@tidings/service-kit'
import type { Target } from '../../services/webhook-dispatcher/src/delivery/attempt/task.ts'
import { createDeadWorkerReaper } from '../../services/webhook-dispatcher/src/delivery/claim/dead-worker-reaper.ts'
import {
  createDeliveryPipeline, type DeliveryPipelineOptions
} from '../../services/webhook-dispatcher/src/delivery/pipeline.ts'
import type { AttemptOutcome } from '../../services/webhook-dispatcher/src/egress/outcome.ts'
import { createShardAssignment } from '../../services/webhook-dispatcher/src/fan-out/shard-assignment.ts'
import { shardOf } from '../../services/webhook-dispatcher/src/fan-out/shards.ts'
import { targetOf } from '../../services/webhook-dispatcher/test/delivery/target.ts'
import { noLog, noMetrics } from './fakes.ts'
import { PostgresPool } from './postgres-client.ts'
import { livesOfJobs, startPublisher } from './publisher.ts'
import { redisClient, type SimulatedRedis } from './redis-client.ts'
import { RedisStore } from './redis-store.ts'
import type { Process, Scenario, Simulation } from './simulation.ts'
import { WebhooksStore, type WebhooksMutation } from './webhooks-store.ts'

const WORKERS = 2
const USERS = ['a', 'b']
const JOBS = 6
const LEASE_MS = 15_000
const MOST_FAULTS = 12
/** Shares of the attempts that an endpoint refuses, and that it answers late. */
const FAILURES = 0.15
const SLOW = 0.2
const SLOW_MS = 9000
const REAPER_MS = 500
/** For so long a worker may trust its lease after the loss of its connection (worker-lease.ts). */
const TRUSTED_MS = 1600

type DeliveriesOptions = {
  /** Whether workers crash, freeze, and lose connections. */
  faults: boolean
  /** Whether Postgres fails over to a standby that lags. */
  failsOver?: boolean
  mutation?: WebhooksMutation
  /** The position moves before the rows are inserted. */
  movesFirst?: boolean
}

/**
 * Delivery: two workers share the shards of the stream. They crash, they freeze for longer than their lease lasts, and
 * lose connections with replies on them; the endpoints refuse some attempts. Shard assignment, fan-out, batches,
 * scheduler, due poller, worker lease, reaper and outcome writer are the dispatcher's own code; Redis, Postgres and the
 * endpoints are simulated. What the endpoints received is compared with what was published.
 */
function deliveries (
  { faults: hasFaults, failsOver = false, mutation, movesFirst = false }: DeliveriesOptions
): Scenario {
  return async simulation => {
    const { random } = simulation
    const store = new RedisStore(simulation.time)
    store.open([JOB_EVENTS_KEY, EPOCH_KEY], ZERO)
    const redis: SimulatedRedis = { simulation, store, historyLength: 1000, clients: new Set() }
    const postgres = new WebhooksStore(simulation, { shards: WORKERS, targets: USERS.map(targetOfUser), mutation })
    const endpoints = new Endpoints(simulation, store, postgres)
    const publisher = startPublisher(redis, livesOfJobs(random, { users: USERS, jobs: JOBS }))
    const start = (n: number) => startWorker(redis, { postgres, endpoints, movesFirst, name: `worker ${n}` })
    const workers = Array.from({ length: WORKERS }, (_, n) => start(n))

    const failOver = () => {
      if (!postgres.promote()) return
      simulation.note('Postgres fails over to a standby that lags')
      for (const worker of workers) worker.cutAll()
    }
    const faults = [
      ...failsOver ? [() => postgres.lag(), failOver, failOver] : [],
      () => {
        const n = random.below(WORKERS)
        workers[n]?.crash()
        workers[n] = start(n)
      },
      () => { simulation.freeze((random.pick(workers)).process, random.pick([1000, 5000, 20_000])) },
      () => { random.pick(workers).cut() },
      () => { random.pick([...redis.clients].filter(({ owner }) => owner.isAlive)).cut() }
    ]
    await simulation.steps(() => publisher.isDone && endpoints.haveAll, hasFaults ? faults : [], MOST_FAULTS)
    endpoints.check({ isExact: !hasFaults })
  }
}

function targetOfUser (userId: string, n: number): Target {
  return {
    ...targetOf(n + 1),
    user_id: userId,
    url: `https://${userId}.example/`,
    ciphertexts: ['whsec_c2VjcmV0'],
    changed_at: 1
  }
}

type Worker = { process: Process, crash: () => void, cut: () => void, cutAll: () => void }
type AttemptRequest = Parameters<DeliveryPipelineOptions['attempt']>[0]
type Sender = { process: Process, workerId: number | undefined }
type WorkerOptions = { postgres: WebhooksStore, endpoints: Endpoints, movesFirst: boolean, name: string }

function startWorker (redis: SimulatedRedis, { postgres, endpoints, movesFirst, name }: WorkerOptions): Worker {
  const { simulation } = redis
  const { execute } = postgres
  const pools: PostgresPool[] = []
  const process = simulation.spawn(name, process => {
    const openPool = (size = 3, onLost = () => {}) => {
      const pool = new PostgresPool(simulation, {
        owner: process,
        execute,
        executeFirst: movesFirst ? postgres.moveFirst : undefined,
        size,
        onLost: connection => {
          postgres.unlock(connection)
          if (process.isAlive) onLost()
        }
      })
      pools.push(pool)
      return pool.sql
    }
    const sql = openPool()
    const limits = { total: 20, perOrigin: 10, perEndpoint: 5 }
    const policy = {
      scheduleMs: [1000, 5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000],
      retryAfterMaxMs: 60_000,
      breakerMs: Infinity,
      breakerMaxMs: Infinity,
      disableAfterMs: Infinity,
      probeAfterMs: undefined
    }
    const post = async ({ url, headers }: AttemptRequest) =>
      await endpoints.post({ process, workerId: pipeline.lease.workerId }, url, headers['webhook-id'] as string)
    const attempt: DeliveryPipelineOptions['attempt'] = Object.assign(post, { close: async () => {} })
    const pipeline = createDeliveryPipeline({
      sql,
      openConnection: onLost => openPool(1, onLost),
      attempt,
      openSecret: text => text,
      policy,
      limits,
      timeoutMs: 10_000,
      progressLagMs: Infinity,
      leaseMs: LEASE_MS,
      metrics: noMetrics(),
      loops: createLoops({ log: noLog() }),
      log: noLog()
    })
    const assignment = createShardAssignment({
      sql,
      redis: redisClient(redis, process),
      shards: postgres.shards.length,
      pipeline,
      findTargets: async () => new Map(postgres.targets.map(target => [target.user_id, [target]])),
      metrics: noMetrics(),
      loops: createLoops({ log: noLog() }),
      log: noLog()
    })
    const removeDeadWorkers = createDeadWorkerReaper(sql)
    const reap = async () => {
      for (;;) {
        await removeDeadWorkers().catch(() => {})
        await pause(REAPER_MS)
      }
    }
    return Promise.all([pipeline.start().then(() => assignment.start()), reap()])
  })
  return {
    process,
    crash: () => {
      simulation.crash(process)
      for (const pool of pools) pool.lose()
    },
    cut: () => {
      simulation.note(`${name} is cut off Postgres`)
      simulation.random.pick(pools).cut()
    },
    cutAll: () => { for (const pool of pools) pool.cut() }
  }
}

type Published = { endpoint: string, chain: string, messageId: string, event: EventId }

/** The endpoints of the users' webhooks. They check who sends what, and in which order. */
class Endpoints {
  readonly #simulation: Simulation
  readonly #store: RedisStore
  readonly #postgres: WebhooksStore
  /** How often each message was accepted. */
  readonly #accepted = new Map<string, number>()
  #read = 0
  readonly #published: Published[] = []

  constructor (simulation: Simulation, store: RedisStore, postgres: WebhooksStore) {
    this.#simulation = simulation
    this.#store = store
    this.#postgres = postgres
  }

  async post (sender: Sender, url: string, messageId: string): Promise<AttemptOutcome> {
    const { random } = this.#simulation
    const endpoint = new URL(url).hostname.split('.')[0] as string
    this.#checkSender(sender, messageId)
    const connection = this.#simulation.connect(sender.process, `→ ${endpoint}`)
    const status = random.chance(FAILURES) ? 500 : 200
    const accept = () => { if (status === 200) this.#accept(endpoint, messageId) }
    const readyAt = this.#simulation.time.now + (random.chance(SLOW) ? random.below(SLOW_MS) : 0)
    await connection.call(`POST ${messageId}: ${status}`, accept, { isReady: () => false, readyAt })
    this.#simulation.disconnect(connection)
    const durations = { totalMs: 1 }
    return status === 200 ? { ok: true, status, durations } : { ok: false, status, errorClass: 'http-5xx', durations }
  }

  /** Who sends a delivery holds it: its row, or before there is one the shard. */
  #checkSender ({ process, workerId }: Sender, messageId: string): void {
    if (this.#simulation.time.now - this.#postgres.restoredAt <= TRUSTED_MS) return
    const { deliveries, shards } = this.#postgres
    const row = deliveries.find(({ event }) => formatEventId(event) === messageId)
    const shard = shards[shardOf(this.#publishedAs(messageId).endpoint, shards.length)]
    const holder = row ? row.claim : shard?.workerId
    if (holder === workerId && workerId !== undefined) return
    this.#simulation.violate(`${process.name} sends ${messageId} as ${workerId}, but ${holder} holds it`)
  }

  #accept (endpoint: string, messageId: string): void {
    const message = this.#publishedAs(messageId)
    if (message.endpoint !== endpoint) this.#simulation.violate(`${endpoint} received ${messageId} of ${message.endpoint}`)
    this.#accepted.set(messageId, (this.#accepted.get(messageId) ?? 0) + 1)
    const earlier = this.#published.find(({ chain, event, messageId: id }) =>
      chain === message.chain && isNewer(message.event, event) && !this.#accepted.has(id))
    if (earlier) this.#simulation.violate(`${messageId} arrived before ${earlier.messageId} of the same job`)
  }

  #publishedAs (messageId: string): Published {
    return this.#all().find(published => published.messageId === messageId) ??
      this.#simulation.violate(`${messageId} was never published`)
  }

  /** All events that webhooks receive. */
  #all (): Published[] {
    for (const { id, owner, payload } of this.#store.published.slice(this.#read)) {
      const event = decode({ id, owner, payload })
      if (webhookMessage(event)) {
        this.#published.push({ endpoint: owner, chain: event.jobId, messageId: event.eventId, event: id })
      }
    }
    this.#read = this.#store.published.length
    return this.#published
  }

  /** Whether everything has arrived, and is recorded. */
  get haveAll (): boolean {
    const { deliveries } = this.#postgres
    return deliveries.every(({ finished }) => finished) &&
      this.#all().every(({ messageId }) => this.#accepted.has(messageId) && this.#known.has(messageId))
  }

  /** The events that have a row. */
  get #known (): Set<string> {
    return new Set(this.#postgres.deliveries.map(({ event }) => formatEventId(event)))
  }

  check ({ isExact }: { isExact: boolean }): void {
    const { deliveries } = this.#postgres
    const twice = isExact && [...this.#accepted].find(([, times]) => times > 1)
    if (twice) this.#simulation.violate(`${twice[0]} arrived ${twice[1]} times`)
    if (this.#known.size < deliveries.length) this.#simulation.violate('a delivery has two rows')
    const odd = deliveries.find(({ state }) => state !== 'delivered')
    if (odd) this.#simulation.violate(`${formatEventId(odd.event)} arrived, and its row is ${odd.state}`)
  }
}

const FAULTS = { faults: true }

export const variants: Record<string, Scenario> = {
  'without faults': deliveries({ faults: false }),
  'with faults': deliveries(FAULTS),
  'with faults and fail-overs': deliveries({ ...FAULTS, failsOver: true }),
  'a promoted standby looks like the primary': deliveries({
    ...FAULTS, failsOver: true, mutation: { keepsTimeline: true }
  }),
  'rows are inserted wherever the position is': deliveries({ ...FAULTS, mutation: { insertsAnywhere: true } }),
  'the position moves before the rows are inserted': deliveries({ ...FAULTS, movesFirst: true }),
  'outcomes are written into rows of others': deliveries({ ...FAULTS, mutation: { writesAnyRow: true } }),
  'claims of others are ignored': deliveries({ ...FAULTS, mutation: { ignoresClaims: true } }),
  'any delivery of a job is claimed': deliveries({ faults: false, mutation: { claimsOutOfOrder: true } }),
  'a lease ends before its worker expects that': deliveries({ ...FAULTS, mutation: { endsLeasesEarly: true } }),
  'new events overtake those that wait': deliveries({ faults: false, mutation: { seesNoPending: true } })
}
