import { formatEventId, isNewer, newest, UnsupportedJobEvent, type Entry, type EventId } from '@tidings/job-events'
import type { EventCursor } from './event-cursor.ts'
import type { History } from './history.ts'
import { messageOf, type Message } from './message.ts'
import type { Session } from './session.ts'

/** The message in an entry for this cursor; undefined if it has none. */
type ReadEntry = (entry: Entry) => Message | undefined

type ResumeOptions = {
  history: History
  /** The client's position; undefined if it names none. */
  since: EventId | undefined
  read?: ReadEntry
}

/**
 * Delivers the events that a buffering cursor missed; the caller flushes it. There is no gap, because the history is
 * read up to the point where buffering started, and no event is delivered twice, because nothing is delivered at or
 * below the cursor's position. True if nothing was missed.
 */
export async function resume (session: Session, cursor: EventCursor, options: ResumeOptions): Promise<boolean> {
  const { history, since, read = messageOf } = options
  let complete = since !== undefined
  const delivered = new Set<string>()
  if (since) cursor.position = cursor.completeFrom = since
  for (;;) {
    const until = cursor.bufferedSince
    if (complete) {
      complete = await history.replay({ userId: session.userId, since: cursor.position, until },
        page => deliverPage(page, { session, cursor, read, delivered }))
    }
    // A client may come from a replica that is ahead of this one: then it keeps its position.
    cursor.position = complete ? newest(cursor.position, until) : until
    if (!complete) cursor.completeFrom = cursor.position
    cursor.resumedUpTo = cursor.position
    if (!cursor.overflowed || session.hasEnded) return complete
    session.rebuffered()
    cursor.startBuffering()
  }
}

type Delivering = {
  session: Session
  cursor: EventCursor
  read: ReadEntry
  /** Ids of the ends that were delivered from the history, or whose repetitions were; it holds a bounded number. */
  delivered: Set<string>
}

/** Waits for the client, so that a long history does not make it count as slow. */
async function deliverPage (page: Entry[], { session, cursor, read, delivered }: Delivering): Promise<boolean> {
  for (const entry of page) {
    if (session.sendBuffer.isFull) await session.sendBuffer.drained()
    if (session.hasEnded) return false
    const message = isNewer(entry.id, cursor.position) ? readSafely(entry, read) : undefined
    if (!message) continue
    // An end that Redis has lost is not in the history either: what repeats it is the first that the client gets.
    message.isUnread = message.repeats !== undefined && !delivered.has(formatEventId(message.repeats))
    if (!message.isProgress) delivered.add(formatEventId(message.repeats ?? message.id))
    cursor.deliver(message)
  }
  return true
}

/** A bad entry of a history is skipped: otherwise its user could never resume again. */
function readSafely (entry: Entry, read: ReadEntry): Message | undefined {
  try {
    return read(entry)
  } catch (err) {
    if (err instanceof UnsupportedJobEvent) throw err
    return undefined
  }
}
