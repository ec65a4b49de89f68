import { historyCovers, isNewer, readHistory, ZERO } from '@tidings/job-events'
import { EPOCH_KEY, JOB_EVENTS_KEY, LOW_WATER_KEY, type JobEvent } from '@tidings/contracts'
import type { Config } from '../../services/realtime-gateway/src/config.ts'
import { EventCursor } from '../../services/realtime-gateway/src/session/event-cursor.ts'
import { createHistory, type History } from '../../services/realtime-gateway/src/session/history.ts'
import { Hub } from '../../services/realtime-gateway/src/session/hub.ts'
import type { Message } from '../../services/realtime-gateway/src/session/message.ts'
import { createSessions } from '../../services/realtime-gateway/src/session/sessions.ts'
import { startStreamTail } from '../../services/realtime-gateway/src/stream/stream-tail.ts'
import { noLog, noMetrics } from './fakes.ts'
import { QUEUE, startPublisher } from './publisher.ts'
import type { Random } from './random.ts'
import { redisClient, type SimulatedRedis } from './redis-client.ts'
import { RedisStore, type StoreMutation } from './redis-store.ts'
import { RoamingClient, type Gateway } from './roaming-client.ts'
import type { Scenario, Simulation } from './simulation.ts'
import { replace } from './virtual-time.ts'

const USERS = ['a', 'b']
const CLIENTS_PER_USER = 2
const GATEWAYS = 2
const BATCHES = 12

const CONFIG = {
  REALTIME_UNSENT_BYTES: 1_000_000, REALTIME_UNSENT_PACKETS: 6, REALTIME_SLOW_MS: 60_000, REALTIME_HELD_EVENTS: 4
} as Config

type SessionsOptions = {
  /** Events in a user's history: few are trimmed while a client is away. */
  historyLength: number
  /** Whether the stream is trimmed, and Redis loses its data. */
  losesEvents: boolean
  store?: StoreMutation
  createHistory?: typeof createHistory
}

/**
 * The resume protocol: clients with a position roam between two gateways that crash, over connections that are cut,
 * while events are published, and trimmed, and lost. Stream tail, hub, sessions, cursors, send buffers and histories
 * are the gateway's own code; Redis and the network are simulated. The clients check what they receive: each event is
 * the next one of their user, unless `session` reported that it could not recover.
 */
function sessions (options: SessionsOptions): Scenario {
  return async simulation => {
    const world = createWorld(simulation, options)
    const { publisher, clients, faults } = world
    await simulation.steps(() => publisher.isDone, faults)
    await simulation.steps(() => clients.every(client => client.isUpToDate))
  }
}

function createWorld (simulation: Simulation, options: SessionsOptions) {
  const { historyLength, losesEvents } = options
  const { random } = simulation
  const store = new RedisStore(simulation.time, options.store)
  // A gateway that finds no stream is at 0-0, from which nobody recovers; so jobs-api has opened it.
  const openStream = () => store.open([JOB_EVENTS_KEY, EPOCH_KEY], store.published.at(-1)?.id ?? ZERO)
  openStream()
  const redis: SimulatedRedis = { simulation, store, historyLength, clients: new Set() }
  const makeHistory = options.createHistory ?? createHistory
  const gateways = Array.from({ length: GATEWAYS }, (_, n) => startGateway(`gateway ${n}`))
  const publisher = startPublisher(redis, eventsOf(random))
  const clients = USERS.flatMap(user => Array.from({ length: CLIENTS_PER_USER }, (_, n) =>
    new RoamingClient({ simulation, store, user, name: `client ${user}${n}`, gateways, mayLose: losesEvents })))

  function startGateway (name: string): Gateway {
    const gateway = {} as Gateway
    simulation.spawn(name, process => {
      const client = redisClient(redis, process)
      const hub = new Hub()
      const tail = startStreamTail({ redis: client, hub, metrics: noMetrics(), log: noLog() })
      const history: History = makeHistory({ redis: client, ttlMs: Infinity })
      const sessions = createSessions({ config: CONFIG, tail, hub, history, metrics: noMetrics(), log: noLog() })
      Object.assign(gateway, { process, sessions, tail })
    })
    return gateway
  }

  function restartGateway () {
    const gateway = random.pick(gateways)
    simulation.crash(gateway.process)
    for (const client of clients) client.lost(gateway)
    Object.assign(gateway, startGateway(gateway.process.name))
  }

  const faults = [
    restartGateway,
    () => random.pick(clients).leave(),
    () => simulation.freeze(random.pick(gateways).process, random.below(10_000)),
    () => {
      const cut = random.pick([...redis.clients].filter(({ owner }) => owner.isAlive))
      simulation.note(`${cut.owner.name} is cut off Redis`)
      cut.cut()
    },
    ...losesEvents
      ? [
          () => store.trim(JOB_EVENTS_KEY, LOW_WATER_KEY, random.below(8)),
          () => {
            simulation.note('Redis loses its data')
            store.flush()
            openStream()
          }
        ]
      : []
  ]
  return { publisher, clients, faults }
}

/** Events of no progress, which a slow client's send buffer would drop once it is superseded. */
function eventsOf (random: Random): JobEvent[][] {
  const event = (): JobEvent => ({
    v: 1,
    type: 'active',
    queue: QUEUE,
    jobId: String(random.below(1000)),
    name: 'j',
    userId: random.pick(USERS),
    timestamp: 0
  })
  return Array.from({ length: BATCHES }, () => Array.from({ length: 1 + random.below(3) }, event))
}

const LOSSLESS: SessionsOptions = { historyLength: 1000, losesEvents: false }
const LOSSY: SessionsOptions = { historyLength: 6, losesEvents: true }

/** The protocol with members of a class replaced. */
function without (target: object, members: Record<string, unknown>, options = LOSSLESS): Scenario {
  return async simulation => {
    const restore = replace(target, members)
    await sessions(options)(simulation).finally(restore)
  }
}

/** The cursor's own methods, which the mutations below call. */
class OriginalCursor extends EventCursor {}
for (const name of ['startBuffering', 'flush', 'take'] as const) {
  Object.defineProperty(OriginalCursor.prototype, name, { value: EventCursor.prototype[name] })
}
const original = OriginalCursor.prototype

/** Live events are delivered while the history is read. */
function startLive (this: EventCursor) {
  original.startBuffering.call(this)
  original.flush.call(this)
}

function takeAnything (this: EventCursor, message: Message) {
  const { position } = this
  this.position = ZERO
  original.take.call(this, message)
  if (this.position === ZERO) this.position = position
}

function dropBuffered (this: EventCursor) {
  this.deliver = () => {}
  original.flush.call(this)
  Reflect.deleteProperty(this, 'deliver')
}

/** A history that is checked before it is read: what is trimmed in between is missed. */
const createHastyHistory: typeof createHistory = ({ redis, ttlMs }) => ({
  ...createHistory({ redis, ttlMs }),
  replay: async ({ userId, since, until }, onPage) => {
    if (!(await historyCovers(redis, userId, since)).covers) return false
    for await (const page of readHistory(redis, userId, since)) {
      await onPage(page.filter(({ id }) => !isNewer(id, until)))
    }
    return true
  }
})

export const variants: Record<string, Scenario> = {
  lossless: sessions(LOSSLESS),
  lossy: sessions(LOSSY),
  'live events are not buffered during a resume': without(EventCursor.prototype, { startBuffering: startLive }),
  'live events are not compared with the position': without(EventCursor.prototype, { take: takeAnything }),
  'buffered events are dropped': without(EventCursor.prototype, { flush: dropBuffered }),
  'an overflow of the buffer is ignored': without(EventCursor.prototype, { overflowed: false }),
  'every history is taken as complete': sessions({ ...LOSSY, store: { coversAll: true } }),
  'a history is checked before it is read': sessions({ ...LOSSY, createHistory: createHastyHistory }),
  'a gap in the stream ends no session': without(Hub.prototype, { sessions: [] }, LOSSY),
  'trimming leaves no low-water mark': sessions({ ...LOSSY, store: { hasNoLowWater: true } })
}
