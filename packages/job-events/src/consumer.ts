import type { Redis } from 'ioredis'
import { EPOCH_KEY, JOB_EVENTS_KEY, LOW_WATER_KEY } from '@tidings/contracts'
import { backoff, limitStep, pause, untilAborted } from '@tidings/service-kit/async'
import { BATCH_BYTES, BATCH_COUNT } from './bounds.ts'
import { entryOf, UnsupportedJobEvent, type Entry } from './entry.ts'
import { compareEventIds, eventIdOf, formatEventId, isNewer, parseEventId, ZERO, type EventId } from './event-id.ts'
import { findGap, type Gap } from './gap.ts'
import { createLinger } from './linger.ts'

const BLOCK_MS = 5000
/** A read that takes longer has lost its socket without noticing (half open); so may the next one have. */
const WATCHDOG_MS = BLOCK_MS + 5000
/** On a connection that Redis has accepted, a read that takes so many times longer was lost by the client. */
const MAX_WATCHES = 3
const RETRY = { minMs: 100, maxMs: 5000 }

export type ConsumedBatch = { from: EventId, to: EventId, entries: Entry[] }

type Reading = { entries: Entry[], gap: Gap | undefined, seen: EventId | undefined, isFull: boolean }

type Log = { error (fields: object, message: string): void, warn (fields: object, message: string): void }

export type ConsumeOptions = {
  /** Any connection; the consumer duplicates it, because a blocked read occupies its socket. */
  redis: Redis
  /** The position to read from; called at the start and after every failure. */
  position: () => EventId | Promise<EventId>
  /**
   * Called with each batch, one after the other. It may return the next position where that is not the end of the batch
   * (another replica was faster). A throw is logged, and the consumer continues from `position()` after a pause. So it
   * does where the promise does not settle within `stepTimeoutMs`: that call may still go on beside the next one, which
   * has to be idempotent, or fenced.
   */
  onBatch: (batch: ConsumedBatch) => Promise<EventId | void> | EventId | void
  /** Awaited before each call of `onBatch`, however long it takes: a full handler is not stuck. */
  whenReady?: () => Promise<void>
  /** Called before the consumer continues from `resumeAt`. */
  onGap?: (gap: Gap) => Promise<void> | void
  /**
   * Called when an event of a higher version stops the consumer, so that a newer replica can take over. The consumer
   * tries again from time to time: once the event was removed, or trimmed, it continues by itself.
   */
  onHalted?: (fault: UnsupportedJobEvent) => void
  log: Log
  count?: number
  maxBytes?: number
  /** The minimum time between two batches, milliseconds, unless the consumer is behind. */
  lingerMs?: number
  /** Of each call of `position`, `onBatch` and `onGap`; a minute unless given. */
  stepTimeoutMs?: number
  /** Of a read, before its connection is replaced. */
  watchdogMs?: number
}

export type StreamConsumer = {
  /** The id up to which batches were handled. */
  readonly position: EventId
  /** When Redis last answered, milliseconds since 1970; 0 before. */
  readonly lastReplyAt: number
  /** Set while an event of a higher version stops the consumer. */
  readonly halted: UnsupportedJobEvent | undefined
  /** Why the last batch failed; undefined once a batch has succeeded. Reported as the reason of a stall. */
  readonly fault: Error | undefined
  /** Stops reading; resolves when the current batch is done. */
  stop (): Promise<void>
}

/**
 * Consumes the stream from a position of the caller's: in order, without gaps, across reconnects and restarts of Redis.
 * The position is kept here and not in Redis: there is no consumer group.
 */
export function consume (options: ConsumeOptions): StreamConsumer {
  const { log, onGap, count: maxCount = BATCH_COUNT, maxBytes = BATCH_BYTES, lingerMs = 0 } = options
  const { stepTimeoutMs, watchdogMs = WATCHDOG_MS } = options
  const stopping = new AbortController()
  const linger = createLinger(lingerMs)
  let redis = connect()
  let position = ZERO
  let epoch: EventId | undefined
  let lastReplyAt = 0
  let halted: UnsupportedJobEvent | undefined
  let fault: Error | undefined
  let count = maxCount
  let ahead: { from: EventId, reading: Promise<Reading> } | undefined
  const finished = run()

  function connect (): Redis {
    // No command timeout: a blocked read is silent for longer, and has the watchdog.
    const connection = options.redis.duplicate({
      maxRetriesPerRequest: null, enableOfflineQueue: true, lazyConnect: false, commandTimeout: undefined
    })
    connection.removeAllListeners('error')
    connection.on('error', (err: Error) => log.warn({ err }, 'consumer: connection lost'))
    return connection
  }

  async function run () {
    for (let failures = 0; !stopping.signal.aborted;) {
      try {
        position = await readPosition()
        while (!stopping.signal.aborted) {
          await readOnce()
          failures = 0
          if (fault) recovered()
        }
      } catch (err) {
        if (stopping.signal.aborted) return
        note(err as Error)
        await pause(backoff(failures++, RETRY), stopping.signal)
      }
    }
  }

  /** Logs one line for each halt, however long it lasts. */
  function note (err: Error) {
    const isKnown = halted !== undefined && err.message === halted.message
    fault = err
    halted = err instanceof UnsupportedJobEvent ? err : undefined
    if (isKnown) return
    log.error({ err, position: formatEventId(position) }, halted ? 'consumer: halted' : 'consumer: batch failed')
    if (halted) options.onHalted?.(halted)
  }

  function recovered () {
    if (halted) log.warn({ position: formatEventId(position) }, 'consumer: continues, the event that halted it is gone')
    fault = halted = undefined
  }

  async function readOnce () {
    if (!ahead) await linger.over(stopping.signal)
    if (stopping.signal.aborted) return
    const { entries, gap, seen, isFull } = await nextReading()
    epoch = seen ?? epoch
    if (entries.length > 0) linger.note()
    if (gap) {
      await limitStep(Promise.resolve(onGap?.(gap)), stepTimeoutMs)
      position = gap.resumeAt
      return
    }
    if (isFull) readAhead((entries.at(-1) as Entry).id)
    for (const batch of slices(entries)) {
      if (stopping.signal.aborted) return
      const next = await handle(batch)
      position = next ?? batch.to
      if (next && compareEventIds(next, batch.to) !== 0) return
    }
  }

  /** Events before one that cannot be read are handled all the same: they belong to other jobs. */
  async function handle (batch: ConsumedBatch): Promise<EventId | void> {
    try {
      return await onBatch(batch)
    } catch (err) {
      if (err instanceof UnsupportedJobEvent) await handleUpTo(err.eventId, batch.entries)
      throw err
    }
  }

  async function handleUpTo (end: EventId, entries: Entry[]) {
    const from = await readPosition() // the handler may have advanced it
    const before = entries.filter(({ id }) => isNewer(id, from) && isNewer(end, id))
    const last = before.at(-1)
    if (last) await onBatch({ from, to: last.id, entries: before })
  }

  function nextReading (): Promise<Reading> {
    const read = ahead
    ahead = undefined
    return read && compareEventIds(read.from, position) === 0 ? read.reading : readAfter(position, { blocks: true })
  }

  async function onBatch (batch: ConsumedBatch): Promise<EventId | void> {
    await options.whenReady?.()
    return await limitStep(Promise.resolve(options.onBatch(batch)), stepTimeoutMs)
  }

  async function readPosition (): Promise<EventId> {
    return await limitStep(Promise.resolve(options.position()), stepTimeoutMs)
  }

  /** While there is more than one read returns, the next read overlaps the handling of this one. */
  function readAhead (from: EventId) {
    const reading = readAfter(from, { blocks: false })
    reading.catch(() => {}) // the rejection is reported where the reading is awaited
    ahead = { from, reading }
  }

  /** The entries after a position, and the gap before them by the marks as Redis has them right after the read. */
  async function readAfter (from: EventId, { blocks }: { blocks: boolean }): Promise<Reading> {
    const lost = new AbortController()
    const watchdog = watch(lost)
    const asked = count
    try {
      const source = ['STREAMS', JOB_EVENTS_KEY, formatEventId(from)] as const
      const [streams, [lowWater, seen]] = await answered(Promise.all([
        blocks ? redis.xread('COUNT', asked, 'BLOCK', BLOCK_MS, ...source) : redis.xread('COUNT', asked, ...source),
        redis.mget(LOW_WATER_KEY, EPOCH_KEY)
      ]), lost.signal)
      lastReplyAt = Date.now()
      const entries = entriesOf(streams?.[0]?.[1] ?? [])
      adaptCount(entries)
      const marks = { lowWater: lowWater ? eventIdOf(lowWater) : undefined, seen: seen ? eventIdOf(seen) : undefined }
      const gap = await findGap(from, { ...marks, epoch, oldest: async () => await oldest(lost.signal) })
      return { entries, gap, seen: marks.seen, isFull: entries.length === asked }
    } finally {
      clearInterval(watchdog)
    }
  }

  /**
   * Connects again while a read gets no reply: the read is sent again. While Redis is away that is all; where Redis
   * accepts the connection and the read still does not end, it fails, and another client makes the next one.
   */
  function watch (lost: AbortController): NodeJS.Timeout {
    let watches = 0
    return setInterval(() => {
      if (redis.status === 'ready') watches++
      if (watches < MAX_WATCHES) return redis.disconnect(true)
      redis.disconnect()
      redis = connect()
      lost.abort(new Error('Redis did not answer a read in time'))
    }, watchdogMs)
  }

  async function answered<T> (reply: Promise<T>, lost: AbortSignal): Promise<T> {
    return await untilAborted(untilAborted(reply, stopping.signal), lost)
  }

  async function oldest (lost: AbortSignal): Promise<EventId | undefined> {
    const first = (await answered(redis.xrange(JOB_EVENTS_KEY, '-', '+', 'COUNT', 1), lost))[0]
    return first && eventIdOf(first[0])
  }

  // XREAD has no bound in bytes, so the count is derived from the size of the entries before.
  function adaptCount (entries: Entry[]) {
    if (entries.length === 0) return
    const bytes = entries.reduce((sum, { payload }) => sum + payload.length, 0)
    count = Math.max(1, Math.min(maxCount, Math.ceil(maxBytes / (bytes / entries.length)), count * 2))
  }

  function slices (entries: Entry[]): ConsumedBatch[] {
    const batches: ConsumedBatch[] = []
    let from = position
    let bytes = Infinity
    for (const entry of entries) {
      bytes += entry.payload.length
      if (bytes > maxBytes) {
        batches.push({ from, to: entry.id, entries: [] })
        bytes = entry.payload.length
      }
      const batch = batches.at(-1) as ConsumedBatch
      batch.entries.push(entry)
      batch.to = from = entry.id
    }
    return batches
  }

  return {
    get position () { return position },
    get lastReplyAt () { return lastReplyAt },
    get halted () { return halted },
    get fault () { return fault },
    async stop () {
      stopping.abort()
      redis.disconnect() // breaks a blocked read at once
      await finished
    }
  }
}

/**
 * An id above 2^53 was not written by Tidings, and cannot be a position. The writer removes it (open.lua); until then
 * the entries before it are read.
 */
function entriesOf (found: [string, string[]][]): Entry[] {
  const readable = found.filter(([id]) => parseEventId(id))
  if (readable.length === 0 && found.length > 0) {
    throw new RangeError(`The stream holds an entry whose id is not an event id: ${found[0]?.[0]}`)
  }
  return readable.map(entry => entryOf(entry))
}
