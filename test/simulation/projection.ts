import { consume, decode, formatEventId, isNewer, ZERO, type ConsumedBatch, type EventId } from '@tidings/job-events'
import { EPOCH_KEY, JOB_EVENTS_KEY, LOW_WATER_KEY, type PublishedJobEvent } from '@tidings/contracts'
import { applyBatch, type KnownRow } from '../../services/jobs-api/src/projector/apply-batch.ts'
import { identityKey } from '../../services/jobs-api/src/db/job-identity.ts'
import { noLog } from './fakes.ts'
import { livesOfJobs, startPublisher } from './publisher.ts'
import { redisClient, type SimulatedRedis } from './redis-client.ts'
import { RedisStore } from './redis-store.ts'
import type { Connection, Process, Scenario, Simulation } from './simulation.ts'

const PROJECTORS = 2
const USERS = ['a', 'b']
const JOBS = 8
const COUNT = 6

/** What a mutation of the protocol does differently. */
type Mutation = {
  comparesNothing?: boolean
  /** Rows and position are two transactions. */
  splits?: 'rows first' | 'position first'
  /** The position passes a gap before the reconciliation is requested. */
  forgetsGaps?: boolean
}

type ProjectionOptions = { trims: boolean, mutation?: Mutation }

/**
 * Projection: two projectors, both without a lease, read the stream from one position in Postgres, and crash. The
 * consumer of the stream and what events do to rows (applyBatch) are the services' own code. The transaction mirrors
 * jobs-api's project-batch.ts: movePosition compares and locks the position, so that a second replica waits, and
 * everything after it becomes visible with it at the commit; it is one step here.
 */
function projection ({ trims, mutation = {} }: ProjectionOptions): Scenario {
  return async simulation => {
    const { random } = simulation
    const store = new RedisStore(simulation.time)
    store.open([JOB_EVENTS_KEY, EPOCH_KEY], ZERO)
    const redis: SimulatedRedis = { simulation, store, historyLength: 1000, clients: new Set() }
    const postgres = new JobsStore(store.last(JOB_EVENTS_KEY), mutation)
    const publisher = startPublisher(redis, livesOfJobs(random, { users: USERS, jobs: JOBS }))
    const start = (n: number) => startProjector(redis, { postgres, mutation, name: `projector ${n}` })
    const projectors = Array.from({ length: PROJECTORS }, (_, n) => start(n))

    const trim = () => {
      const { length } = store.streams.get(JOB_EVENTS_KEY)?.entries ?? []
      store.trim(JOB_EVENTS_KEY, LOW_WATER_KEY, random.below(1 + (length ?? 0)))
    }
    const faults = [
      () => {
        const n = random.below(PROJECTORS)
        simulation.crash((projectors[n] as Projector).process)
        projectors[n] = start(n)
      },
      () => simulation.freeze(random.pick(projectors).process, random.below(10_000)),
      () => { random.pick(projectors).postgres.cut(random) },
      () => { random.pick([...redis.clients].filter(({ owner }) => owner.isAlive)).cut() },
      ...trims ? [trim, trim, trim] : []
    ]
    await simulation.steps(() => publisher.isDone, faults)
    const last = store.published.at(-1)?.id ?? ZERO
    await simulation.steps(() => !isNewer(last, postgres.position))
    check(simulation, store, postgres)
  }
}

type Projector = { process: Process, postgres: Connection }
type ProjectorOptions = { postgres: JobsStore, mutation: Mutation, name: string }

function startProjector (redis: SimulatedRedis, { postgres, mutation, name }: ProjectorOptions): Projector {
  const { simulation } = redis
  const projector = {} as Projector
  simulation.spawn(name, process => {
    const connection = simulation.connect(process, 'postgres')
    Object.assign(projector, { process, postgres: connection })
    consume({
      redis: redisClient(redis, process),
      log: noLog(),
      count: COUNT,
      position: async () => await connection.call('read the position', () => postgres.position),
      onBatch: project,
      onGap: async ({ position, resumeAt }) => {
        const request = async () =>
          await connection.call('request a reconciliation', () => { postgres.gaps.push([position, resumeAt]) })
        const pass = async () => await connection.call('pass the gap', () => postgres.movePosition(position, resumeAt))
        if (mutation.forgetsGaps) await pass()
        await request()
        if (!mutation.forgetsGaps) await pass()
      }
    })

    async function project ({ from, to, entries }: ConsumedBatch): Promise<EventId> {
      const events = entries.map(entry => decode(entry))
      const label = `project ${formatEventId(from)} → ${formatEventId(to)}`
      const move = () => postgres.movePosition(from, to)
      if (mutation.splits === 'rows first') {
        await connection.call(label, () => { if (postgres.isAt(from)) postgres.apply(events) })
        if (await connection.call('move the position', move)) return to
      } else if (mutation.splits === 'position first') {
        if (await connection.call('move the position', move)) {
          await connection.call(label, () => { postgres.apply(events) })
          return to
        }
      } else if (await connection.call(label, () => move() && postgres.apply(events))) {
        return to
      }
      return await connection.call('read the position', () => postgres.position)
    }
  })
  return projector
}

/** The tables of jobs-api that the projection writes. */
class JobsStore {
  position: EventId
  readonly rows = new Map<string, KnownRow>()
  readonly timeline: string[] = []
  readonly projected: string[] = []
  readonly counters = new Map<string, number>()
  readonly gaps: [from: EventId, to: EventId][] = []
  readonly #mutation: Mutation

  constructor (position: EventId, mutation: Mutation) {
    this.position = position
    this.#mutation = mutation
  }

  isAt (from: EventId): boolean {
    return this.#mutation.comparesNothing === true || formatEventId(from) === formatEventId(this.position)
  }

  movePosition (from: EventId, to: EventId): boolean {
    if (!this.isAt(from)) return false
    this.position = to
    return true
  }

  apply (events: PublishedJobEvent[]): true {
    this.projected.push(...events.map(({ eventId }) => eventId))
    for (const change of applyBatch(events, [...this.rows.values()])) {
      const { identity, userId, stateBefore, after, events: applied } = change
      const key = identityKey(identity)
      this.rows.set(key, { n: this.rows.size, ...this.rows.get(key), ...identity, ...after })
      if (stateBefore !== undefined) this.#count(`${userId} ${stateBefore}`, -1)
      this.#count(`${userId} ${after.state}`, 1)
      this.timeline.push(...applied.map(({ eventId }) => eventId))
    }
    return true
  }

  #count (key: string, by: number) {
    this.counters.set(key, (this.counters.get(key) ?? 0) + by)
  }
}

function check (simulation: Simulation, store: RedisStore, postgres: JobsStore): void {
  const projected = new Set(postgres.projected)
  if (projected.size < postgres.projected.length) simulation.violate('an event was projected twice')
  const expected = new JobsStore(ZERO, {})
  for (const { id, owner, payload } of store.published) {
    const isLost = postgres.gaps.some(([from, to]) => isNewer(id, from) && !isNewer(id, to))
    if (projected.has(formatEventId(id))) expected.apply([decode({ id, owner, payload })])
    else if (!isLost) simulation.violate(`event ${formatEventId(id)} was neither projected nor reported as lost`)
  }
  if (text(postgres) !== text(expected)) simulation.violate('rows, counters or timeline are not those of the events')
}

function text ({ rows, counters, timeline }: JobsStore): string {
  const lines = [
    ...[...rows].map(([key, row]) => `${key} ${JSON.stringify({ ...row, n: 0 })}`),
    ...[...counters].filter(([, count]) => count !== 0).map(([key, count]) => `${key} ${count}`)
  ]
  return [...lines.toSorted(), ...timeline.toSorted()].join('\n')
}

export const variants: Record<string, Scenario> = {
  'all events': projection({ trims: false }),
  'events are trimmed': projection({ trims: true }),
  'the position is not compared': projection({ trims: false, mutation: { comparesNothing: true } }),
  'the position is moved after the rows': projection({ trims: false, mutation: { splits: 'rows first' } }),
  'the position is moved before the rows': projection({ trims: false, mutation: { splits: 'position first' } }),
  'a gap is passed before it is recorded': projection({ trims: true, mutation: { forgetsGaps: true } })
}
