import { isNewer, newest, UnsupportedJobEvent, type Entry, type EventId } from '@tidings/job-events'
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
  // What an earlier attempt has delivered stays so.
  if (since && isNewer(since, cursor.position)) cursor.position = cursor.completeFrom = since
  for (;;) {
    const until = cursor.bufferedSince
    if (complete) {
      complete = await history.replay({ userId: session.userId, since: cursor.position, until },
        page => deliverPage(page, { session, cursor, read }))
    }
    // A client may come from a replica that is ahead of this one, or from before Redis lost data: then it keeps its
    // position. Only one that was never given out is not kept: events would come below it.
    const keeps = complete || !isNewer(cursor.position, until) || await history.isPast(cursor.position)
    cursor.position = keeps ? newest(cursor.position, until) : until
    if (!complete) cursor.completeFrom = cursor.position
    if (!cursor.overflowed || session.hasEnded) return complete
    session.rebuffered()
    cursor.startBuffering()
  }
}

type Delivering = {
  session: Session
  cursor: EventCursor
  read: ReadEntry
}

/** Waits for the client, so that a long history does not make it count as slow. */
async function deliverPage (page: Entry[], { session, cursor, read }: Delivering): Promise<boolean> {
  for (const entry of page) {
    if (session.sendBuffer.isFull) await session.sendBuffer.drained()
    if (session.hasEnded) return false
    const message = isNewer(entry.id, cursor.position) ? readSafely(entry, read) : undefined
    if (message) cursor.deliverMissed(message)
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
