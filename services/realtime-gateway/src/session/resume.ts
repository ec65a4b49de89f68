import { isNewer, newest, UnsupportedJobEvent, type Entry, type EventId } from '@tidings/job-events'
import type { Feed } from './feed.ts'
import type { History } from './history.ts'
import { messageOf, type Message } from './message.ts'
import type { Session } from './session.ts'

type ResumeOptions = {
  history: History
  /** Where the client was; undefined: it does not say. */
  since: EventId | undefined
  /** What an entry means to this feed; undefined: nothing. */
  read?: (entry: Entry) => Message | undefined
}

/**
 * Tells a feed that holds what it missed, and leaves it to be released: with
 * no gap, because history reaches up to where holding began; with no double,
 * because nothing is told at or below the feed's position. True where nothing
 * was missed.
 */
export async function resume (session: Session, feed: Feed, { history, since, read = messageOf }: ResumeOptions): Promise<boolean> {
  let complete = since !== undefined
  if (since) feed.position = feed.completeFrom = since
  for (;;) {
    const until = feed.heldFrom
    if (complete) {
      complete = await history.replay({ userId: session.userId, since: feed.position, until },
        page => tellPage(session, feed, page, read))
    }
    // A client may come from a replica that is further than this one: it stays where it was.
    feed.position = complete ? newest(feed.position, until) : until
    if (!complete) feed.completeFrom = feed.position
    if (!feed.overflowed || session.hasEnded) return complete
    session.heldAnew()
    feed.hold()
  }
}

/** Paced by the client, so that a long history is no reason to call it slow. */
async function tellPage (session: Session, feed: Feed, page: Entry[], read: (entry: Entry) => Message | undefined): Promise<boolean> {
  for (const entry of page) {
    if (session.outlet.isFull) await session.outlet.drained()
    if (session.hasEnded) return false
    const message = isNewer(entry.id, feed.position) ? readSafely(entry, read) : undefined
    if (message) feed.tell(message)
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
