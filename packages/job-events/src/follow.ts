import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { EPOCH_KEY, JOB_EVENTS_KEY, LOW_WATER_KEY } from '@tidings/contracts'
import { BATCH_BYTES, BATCH_COUNT } from './bounds.ts'
import { entryOf, UnsupportedJobEvent, type Entry } from './entry.ts'
import { compareEventIds, eventIdOf, formatEventId, ZERO, type EventId } from './event-id.ts'
import { gapAfter, type Overtaken } from './gap.ts'
import { createLinger } from './linger.ts'

const BLOCK_MS = 5000
/** A blocked read that is this late has lost its socket without noticing (half open). */
const WATCHDOG_MS = BLOCK_MS + 5000
const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 5000

export type FollowedBatch = { from: EventId, to: EventId, entries: Entry[] }

type Reading = { entries: Entry[], gap: Overtaken | undefined, seen: EventId | undefined, isFull: boolean }

type Log = { error (fields: object, message: string): void, warn (fields: object, message: string): void }

export type FollowOptions = {
  /** Any connection; the follower duplicates it, because a blocked read owns its socket. */
  redis: Redis
  /** Asked at the start and after every failure: where to go on from. */
  position: () => EventId | Promise<EventId>
  /**
   * Gets each batch, one after the other. What it returns is the next position
   * where that is not the batch's end (another replica was faster). A throw is
   * logged, and the follower goes on from `position()` after a pause.
   */
  onBatch: (batch: FollowedBatch) => Promise<EventId | void> | EventId | void
  /** Told before the follower goes on from `resumeAt`. */
  onOvertaken?: (gap: Overtaken) => Promise<void> | void
  /** Told once when an event of a higher version has stopped the reader for good: whoever else can read it should. */
  onHalted?: (fault: UnsupportedJobEvent) => void
  log: Log
  count?: number
  maxBytes?: number
  /** The least time between two batches, milliseconds, unless the follower is behind. */
  lingerMs?: number
}

export type Follower = {
  /** The id up to which batches were handled. */
  readonly position: EventId
  /** When Redis last answered, milliseconds since 1970; 0 before. */
  readonly heardAt: number
  /** Set when an event of a higher version stopped the reader for good. */
  readonly halted: UnsupportedJobEvent | undefined
  /** Ends the reading; resolves when the batch in hand is done. */
  stop (): Promise<void>
}

/**
 * Follows the stream from a position of one's own: in order, nothing skipped,
 * over reconnects and restarts of Redis. The follower alone holds the cursor;
 * Redis knows nothing of it.
 */
export function follow (options: FollowOptions): Follower {
  const { log, onBatch, onOvertaken, count: maxCount = BATCH_COUNT, maxBytes = BATCH_BYTES, lingerMs = 0 } = options
  const stopping = new AbortController()
  const linger = createLinger(lingerMs)
  // No command timeout: a blocked read is silent for longer, and has the watchdog.
  const redis = options.redis.duplicate({ maxRetriesPerRequest: null, enableOfflineQueue: true, lazyConnect: false, commandTimeout: undefined })
  redis.removeAllListeners('error')
  redis.on('error', (err: Error) => log.warn({ err }, 'follower: connection lost'))

  let position = ZERO
  let epoch: EventId | undefined
  let heardAt = 0
  let halted: UnsupportedJobEvent | undefined
  let count = maxCount
  let ahead: { from: EventId, reading: Promise<Reading> } | undefined
  const finished = run()

  async function run () {
    for (let failures = 0; !stopping.signal.aborted && !halted;) {
      try {
        position = await options.position()
        while (!stopping.signal.aborted) {
          await pass()
          failures = 0
        }
      } catch (err) {
        if (stopping.signal.aborted) return
        if (err instanceof UnsupportedJobEvent) {
          halted = err
          options.onHalted?.(err)
        }
        log.error({ err, position: formatEventId(position) }, halted ? 'follower: halted' : 'follower: batch failed')
        await sleep(Math.min(RETRY_MIN_MS * 2 ** failures++, RETRY_MAX_MS), undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }

  async function pass () {
    if (!ahead) await linger.over(stopping.signal)
    if (stopping.signal.aborted) return
    const { entries, gap, seen, isFull } = await nextReading()
    epoch = seen ?? epoch
    if (entries.length > 0) linger.note()
    if (gap) {
      await onOvertaken?.(gap)
      position = gap.resumeAt
      return
    }
    if (isFull) readAhead((entries.at(-1) as Entry).id)
    for (const batch of slices(entries)) {
      if (stopping.signal.aborted) return
      const next = await onBatch(batch)
      position = next ?? batch.to
      if (next && compareEventIds(next, batch.to) !== 0) return
    }
  }

  function nextReading (): Promise<Reading> {
    const read = ahead
    ahead = undefined
    return read && compareEventIds(read.from, position) === 0 ? read.reading : readAfter(position, { blocks: true })
  }

  /** While there is more than a read takes, the next comes in while this one is handled. */
  function readAhead (from: EventId) {
    const reading = readAfter(from, { blocks: false })
    reading.catch(() => {}) // whoever takes it hears of it
    ahead = { from, reading }
  }

  /** The entries after a position, and whether any are missing between, by what stood in Redis right after them. */
  async function readAfter (from: EventId, { blocks }: { blocks: boolean }): Promise<Reading> {
    const watchdog = setTimeout(() => redis.disconnect(true), WATCHDOG_MS)
    const asked = count
    try {
      const place = ['STREAMS', JOB_EVENTS_KEY, formatEventId(from)] as const
      const [streams, [lowWater, seen]] = await answered(Promise.all([
        blocks ? redis.xread('COUNT', asked, 'BLOCK', BLOCK_MS, ...place) : redis.xread('COUNT', asked, ...place),
        redis.mget(LOW_WATER_KEY, EPOCH_KEY)
      ]))
      heardAt = Date.now()
      const entries = (streams?.[0]?.[1] ?? []).map(entry => entryOf(entry))
      adaptCount(entries)
      const marks = { lowWater: lowWater ? eventIdOf(lowWater) : undefined, seen: seen ? eventIdOf(seen) : undefined }
      return { entries, gap: await gapAfter(from, { ...marks, epoch, oldest }), seen: marks.seen, isFull: entries.length === asked }
    } finally {
      clearTimeout(watchdog)
    }
  }

  /** ioredis leaves commands without an answer when it is disconnected while it waits to reconnect: then a stop is the answer. */
  async function answered<T> (reply: Promise<T>): Promise<T> {
    const stopped = Promise.withResolvers<never>()
    const giveUp = () => stopped.reject(stopping.signal.reason)
    stopping.signal.addEventListener('abort', giveUp)
    try {
      return await Promise.race([reply, stopped.promise])
    } finally {
      stopping.signal.removeEventListener('abort', giveUp)
    }
  }

  async function oldest (): Promise<EventId | undefined> {
    const first = (await answered(redis.xrange(JOB_EVENTS_KEY, '-', '+', 'COUNT', 1)))[0]
    return first && eventIdOf(first[0])
  }

  // XREAD knows no bound in bytes, so the count follows the size of what came before.
  function adaptCount (entries: Entry[]) {
    if (entries.length === 0) return
    const bytes = entries.reduce((sum, { payload }) => sum + payload.length, 0)
    count = Math.max(1, Math.min(maxCount, Math.ceil(maxBytes / (bytes / entries.length)), count * 2))
  }

  function slices (entries: Entry[]): FollowedBatch[] {
    const batches: FollowedBatch[] = []
    let from = position
    let bytes = Infinity
    for (const entry of entries) {
      bytes += entry.payload.length
      if (bytes > maxBytes) {
        batches.push({ from, to: entry.id, entries: [] })
        bytes = entry.payload.length
      }
      const batch = batches.at(-1) as FollowedBatch
      batch.entries.push(entry)
      batch.to = from = entry.id
    }
    return batches
  }

  return {
    get position () { return position },
    get heardAt () { return heardAt },
    get halted () { return halted },
    async stop () {
      stopping.abort()
      redis.disconnect() // breaks a blocked read at once
      await finished
    }
  }
}
