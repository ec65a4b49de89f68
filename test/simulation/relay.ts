import {
  createStreamWriter, decode, eventIdOf, formatEventId, isNewer, START, ZERO, type EventId
} from '@tidings/job-events'
import { relayPositionKey, type PublishedJobEvent } from '@tidings/contracts'
import { mapEvent } from '../../services/jobs-api/src/relay/mapping/map-event.ts'
import { RecentEnds } from '../../services/jobs-api/src/relay/lost-ends/recent-ends.ts'
import { createRelay } from '../../services/jobs-api/src/relay/relay-loop.ts'
import { parseEntries } from '../../services/jobs-api/src/relay/source/bullmq-event.ts'
import { openEventReader, type RawEntry } from '../../services/jobs-api/src/relay/source/bullmq-event-reader.ts'
import { noLog, noMetrics } from './fakes.ts'
import { redisClient, type SimulatedRedis } from './redis-client.ts'
import { RedisStore, type StoreMutation } from './redis-store.ts'
import type { Process, Scenario, Simulation } from './simulation.ts'

const QUEUE = 'default'
const BULLMQ_EVENTS = 'bull:default:events'
const USERS = ['a', 'b']
const RELAYS = 2
const JOBS = 12
const PAGE = 5

type RelayOptions = {
  /** Whether BullMQ trims its events before they are read. */
  trims: boolean
  store?: StoreMutation
  /** The position is moved after the append, in a step of its own. */
  splitsAppend?: boolean
}

/**
 * Publication: two relays of one queue, both without a lease, so that nothing but the position keeps them apart. They
 * crash, and lose connections with replies on them. The loop, the reader of BullMQ's events, the detection of gaps, the
 * mapping and the writer are those of jobs-api; Redis and BullMQ are simulated. At the end the stream is compared with
 * what BullMQ recorded.
 */
function relay (options: RelayOptions): Scenario {
  return async simulation => {
    const { random } = simulation
    const store = new RedisStore(simulation.time, options.store)
    const { splitsAppend = false } = options
    const redis: SimulatedRedis = { simulation, store, historyLength: 1000, clients: new Set(), splitsAppend }
    const bullmq = startBullmq(simulation, store)
    const relays = Array.from({ length: RELAYS }, (_, n) => startRelay(redis, `relay ${n}`))

    function restartRelay () {
      const n = random.below(RELAYS)
      simulation.crash(relays[n] as Process)
      relays[n] = startRelay(redis, `relay ${n}`)
    }

    function cutConnection () {
      const cut = random.pick([...redis.clients].filter(({ owner }) => owner.isAlive && owner !== bullmq.process))
      simulation.note(`${cut.owner.name} is cut off Redis`)
      cut.cut()
    }

    function trim () {
      const entries = store.streams.get(BULLMQ_EVENTS)?.entries
      const trimmed = entries?.splice(0, random.below(entries.length + 1)) ?? []
      simulation.note(`BullMQ trims ${trimmed.length} entries`)
    }

    const freezeRelay = () => simulation.freeze(random.pick(relays), random.below(10_000))
    const faults = [restartRelay, freezeRelay, cutConnection, ...options.trims ? [trim] : []]
    await simulation.steps(() => bullmq.isDone, faults)
    await simulation.steps(() => isRelayed(store))
    check(simulation, store, bullmq.recorded, options)
  }
}

type Recorded = { jobId: string, type: string, mark: string, isLate: boolean }

/** Jobs that run, in BullMQ's own order of entries; some report progress after their end. */
function startBullmq (simulation: Simulation, store: RedisStore) {
  const { random } = simulation
  const recorded: Recorded[] = []
  let isDone = false
  const process = simulation.spawn('bullmq', async process => {
    const connection = simulation.connect(process, 'redis')
    const lives = Array.from({ length: JOBS }, (_, n) => lifeOf(String(n)))
    for (let open = lives; open.length > 0; open = lives.filter(({ length }) => length > 0)) {
      const [entry, isLate] = random.pick(open).shift() as [Record<string, string>, boolean]
      const { event = '', jobId = '' } = entry
      const mark = `m${recorded.length}`
      await connection.call(`BullMQ records ${event} of ${jobId}`, () => {
        recorded.push({ jobId, type: event, mark, isLate })
        const fields = { ...entry, data: `"${mark}"`, returnvalue: `"${mark}"`, failedReason: mark }
        store.xadd(BULLMQ_EVENTS, '*', Object.entries(fields).flat())
      })
    }
    isDone = true
  })
  return { process, recorded, get isDone () { return isDone } }

  function lifeOf (jobId: string): [Record<string, string>, boolean][] {
    const entry = (event: string, isLate = false, more = {}): [Record<string, string>, boolean] =>
      [{ event, jobId, ...more }, isLate]
    const ends = random.chance(0.7) ? 'completed' : 'failed'
    return [
      entry('added'), entry('waiting'), entry('active'),
      ...Array.from({ length: random.below(3) }, () => entry('progress')),
      entry(ends),
      ...random.chance(0.3) ? [entry('progress', true)] : [],
      ...random.chance(0.3) ? [entry('waiting', false, { prev: ends }), entry('active'), entry('completed')] : []
    ]
  }
}

function startRelay (redis: SimulatedRedis, name: string): Process {
  return redis.simulation.spawn(name, process => {
    const client = redisClient(redis, process)
    const stream = createStreamWriter(client)
    const recentEnds = new RecentEnds()
    const relay = createRelay({
      queue: QUEUE,
      openReader: () =>
        openEventReader({ redis: client, key: BULLMQ_EVENTS, count: PAGE, bytes: Infinity, log: noLog() }),
      stream,
      toJobEvents: async entries => toJobEvents(entries),
      minimumId: () => recentEnds.lastId,
      prepare: async () => { await stream.open(recentEnds.lastId) },
      onAdvance: async () => {},
      recentEnds,
      metrics: noMetrics(),
      log: noLog()
    })
    return relay.run(new AbortController().signal)
  })
}

const userOf = (jobId: string) => USERS[Number(jobId) % USERS.length] as string

function toJobEvents (entries: RawEntry[]) {
  return parseEntries(entries, err => { throw err }).flatMap(entry => {
    const owner = { userId: userOf(entry.jobId), name: 'j' }
    return mapEvent(entry, { queue: QUEUE, owner, isCancelled: false })?.event ?? []
  })
}

function positionOf (store: RedisStore) {
  const position = store.hashes.get(relayPositionKey(QUEUE))
  const [at = START.at, read, lost] = ['at', 'read', 'lost'].map(name => position?.get(name))
  return { at: eventIdOf(at), count: Number(read), lost: Number(lost) }
}

function isRelayed (store: RedisStore): boolean {
  return !isNewer(store.last(BULLMQ_EVENTS), positionOf(store).at)
}

function check (simulation: Simulation, store: RedisStore, recorded: Recorded[], { trims }: RelayOptions): void {
  const { count, lost } = positionOf(store)
  const events = store.published.map(({ id, owner, payload }) => decode({ id, owner, payload }))
  const published = events.map(event => markOf(event))
  const { length } = recorded
  if (count + lost !== length) simulation.violate(`${count} entries read and ${lost} lost, of ${length}`)
  if (!trims && lost > 0) simulation.violate(`${lost} entries were counted as lost`)
  checkIds(simulation, store.published.map(({ id }) => id))
  checkOrder(simulation, events, recorded)
  const late = new Set(recorded.filter(({ isLate }) => isLate).map(({ mark }) => mark))
  if (!trims) {
    const expected = recorded.filter(({ isLate }) => !isLate)
    if (events.length < expected.length) simulation.violate(`${events.length} events of ${expected.length} are published`)
    const shown = published.find(mark => late.has(mark))
    if (shown) simulation.violate(`progress ${shown} is published after the end of its job`)
  }
}

/** The mark of BullMQ's entry; undefined for an event that carries no value. */
function markOf ({ progress, result, error }: PublishedJobEvent): string {
  return error ?? JSON.parse(progress ?? result ?? '""') as string
}

function checkIds (simulation: Simulation, ids: EventId[]): void {
  let before = ZERO
  for (const id of ids) {
    if (!isNewer(id, before)) simulation.violate(`${formatEventId(id)} was given out after ${formatEventId(before)}`)
    before = id
  }
}

/** The events are BullMQ's entries in their order, each once, some left out. */
function checkOrder (simulation: Simulation, events: PublishedJobEvent[], recorded: Recorded[]): void {
  let at = -1
  for (const event of events) {
    const mark = markOf(event)
    const next = recorded.findIndex((entry, n) => n > at && entry.jobId === event.jobId && entry.type === event.type &&
      (mark === '' || mark === entry.mark))
    if (next === -1) simulation.violate(`${event.type} ${mark} of ${event.jobId} is published twice, or out of order`)
    at = next
  }
}

export const variants: Record<string, Scenario> = {
  'all entries': relay({ trims: false }),
  'entries are trimmed': relay({ trims: true }),
  'the append does not compare the position': relay({ trims: false, store: { appendsAnywhere: true } }),
  'the position is moved after the append': relay({ trims: false, splitsAppend: true }),
  'finished jobs are not marked': relay({ trims: false, store: { hasNoFinality: true } })
}
