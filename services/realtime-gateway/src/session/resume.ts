import { isNewer, newest, UnsupportedJobEvent, type Entry, type EventId } from '@tidings/job-events'
import type { EventCursor } from './event-cursor.ts'
import type { History } from './history.ts'
import { messageOf, type Message } from './message.ts'
import type { Session } from './session.ts'

type ResumeOptions = {
  history: History
  /** Where the client was; undefined: it does not say. */
  since: EventId | undefined
  /** What an entry means to this cursor; undefined: nothing. */
  read?: (entry: Entry) => Message | undefined
}

/**
 * Tells a cursor that holds what it missed, and leaves it to be released: with
 * no gap, because history reaches up to where holding began; with no double,
 * because nothing is told at or below the cursor's position. True where nothing
 * was missed.
 */
export async function resume (session: Session, cursor: EventCursor, { history, since, read = messageOf }: ResumeOptions): Promise<boolean> {
  let complete = since !== undefined
  if (since) cursor.position = cursor.completeFrom = since
  for (;;) {
    const until = cursor.bufferedSince
    if (complete) {
      complete = await history.replay({ userId: session.userId, since: cursor.position, until },
        page => deliverPage(session, cursor, page, read))
    }
    // A client may come from a replica that is further than this one: it stays where it was.
    cursor.position = complete ? newest(cursor.position, until) : until
    if (!complete) cursor.completeFrom = cursor.position
    if (!cursor.overflowed || session.hasEnded) return complete
    session.rebuffered()
    cursor.startBuffering()
  }
}

/** Paced by the client, so that a long history is no reason to call it slow. */
async function deliverPage (session: Session, cursor: EventCursor, page: Entry[], read: (entry: Entry) => Message | undefined): Promise<boolean> {
  for (const entry of page) {
    if (session.sendBuffer.isFull) await session.sendBuffer.drained()
    if (session.hasEnded) return false
    const message = isNewer(entry.id, cursor.position) ? readSafely(entry, read) : undefined
    if (message) cursor.deliver(message)
  }
  return true
}

/** A bad entry of a history is left out: else its user could resume no more. */
function readSafely (entry: Entry, read: (entry: Entry) => Message | undefined): Message | undefined {
  try {
    return read(entry)
  } catch (err) {
    if (err instanceof UnsupportedJobEvent) throw err
    return undefined
  }
}
