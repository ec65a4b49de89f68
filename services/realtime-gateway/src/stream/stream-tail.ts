import { setImmediate as nextTick } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import {
  createStreamReader, consume, formatEventId, RecentReads, UnsupportedJobEvent, ZERO, type Entry, type EventId, type Gap
} from '@tidings/job-events'
import type { Metrics } from '../metrics.ts'
import type { Hub } from '../session/hub.ts'
import { messageOf, type Message } from '../session/message.ts'
import type { Session } from '../session/session.ts'

/**
 * Frames after which other work of the process gets a tick of the event loop: some 40 ms of a small core. All frames of
 * one client in a tick are one write, and writes are the main cost of a delivery, so a user with thousands of sessions
 * must get several events per tick.
 */
const FRAMES_PER_TICK = 5000
/**
 * Of them the events of one user. More at once would not fit into the transport of a client that reads well, and its
 * progress would be dropped.
 */
const EVENTS_PER_USER_AND_TICK = 500
/** Events per read while the tail is behind: as many as fit into a tick, for the same reason. */
const READ_COUNT = FRAMES_PER_TICK
const READ_BYTES = 4 * 1024 * 1024

type Log = { error (fields: object, message: string): void, warn (fields: object, message: string): void }

export type StreamTail = ReturnType<typeof startStreamTail>

type TailOptions = { redis: Redis, hub: Hub, metrics: Metrics, log: Log }

/**
 * Consumes the whole stream from its end and delivers each event to the sessions of its owner. Its position is kept in
 * memory: a new process starts at the end.
 */
export function startStreamTail ({ redis, hub, metrics, log }: TailOptions) {
  const stream = createStreamReader(redis)
  const reads = new RecentReads()
  let position: EventId | undefined
  const consumer = consume({
    redis,
    log,
    count: READ_COUNT,
    maxBytes: READ_BYTES,
    position: readPosition,
    onBatch: async ({ entries }) => await dispatch(entries),
    onGap: handleGap
  })

  /** The end of the stream, once. The consumer repeats a call that takes too long, and that call may still end. */
  async function readPosition (): Promise<EventId> {
    if (position) return position
    const end = await stream.last() ?? ZERO
    if (!position) reads.startAt(end)
    return (position ??= end) // sessions may have begun at the position that the other call has set
  }

  async function dispatch (entries: Entry[]) {
    let frames = 0
    const eventsByOwner = new Map<string, number>()
    for (const entry of entries) {
      const sessions = deliverSafely(entry)
      position = entry.id
      if (sessions === 0) continue
      frames += sessions
      const own = (eventsByOwner.get(entry.owner) ?? 0) + 1
      eventsByOwner.set(entry.owner, own)
      if (frames < FRAMES_PER_TICK && own < EVENTS_PER_USER_AND_TICK) continue
      await nextTick()
      frames = 0
      eventsByOwner.clear()
    }
    metrics.events.inc(entries.length)
  }

  /** A bad entry must not stop the events after it: the consumer would read it again forever. */
  function deliverSafely (entry: Entry): number {
    const { id, repeats } = entry
    const isUnread = repeats !== undefined && reads.isUnread(repeats)
    if (repeats) reads.noteRepeated(repeats)
    reads.note(id)
    try {
      return deliver(entry, isUnread)
    } catch (err) {
      if (err instanceof UnsupportedJobEvent) throw err
      metrics.malformed.inc()
      log.warn({ err, eventId: formatEventId(entry.id) }, 'tail: malformed event skipped')
      return 0
    }
  }

  function deliver (entry: Entry, isUnread: boolean): number {
    const sessions = hub.sessionsOf(entry.owner)
    const message = sessions && messageOf(entry)
    if (!message) return 0
    identify(message)
    message.isUnread = isUnread
    if (message.isEnd) reads.noteEnd(message, message.repeats ?? message.id)
    for (const session of sessions) deliverTo(session, message)
    const lagMs = Date.now() - message.timestamp
    if (Number.isFinite(lagMs)) metrics.lag.observe(Math.max(0, lagMs) / 1000)
    return sessions.size
  }

  /** Gives an end that may have been published before the id that it had. */
  function identify (message: Message) {
    if (message.mayRepeat) message.repeats = reads.firstIdOf(message)
  }

  /** A fault of one session must not keep events from the others. */
  function deliverTo (session: Session, message: Message) {
    try {
      session.cursor.take(message)
    } catch (err) {
      log.error({ err, eventId: formatEventId(message.id) }, 'tail: session failed')
      session.end('failed')
    }
  }

  /** The events in a gap are lost here. Clients reconnect, and learn from their history whether they missed any. */
  function handleGap (gap: Gap) {
    log.warn({ gap }, 'tail: gap in the stream')
    position = gap.resumeAt
    reads.skipTo(gap.resumeAt)
    metrics.streamGaps.inc({ reason: gap.reason })
    for (const session of hub.sessions) session.end('resync')
  }

  return {
    /** The last event that was delivered; zero before the start. */
    get position (): EventId { return position ?? ZERO },
    identify,
    /** Whether the position is known: Redis has answered once. */
    get hasStarted () { return position !== undefined },
    /** Set when an event of a higher version has stopped the tail for good. */
    get halted () { return consumer.halted },
    /** Why the last batch could not be delivered; undefined after a delivered batch. */
    get fault () { return consumer.fault },
    stop: () => consumer.stop()
  }
}
