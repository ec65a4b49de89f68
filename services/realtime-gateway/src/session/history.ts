import type { Redis } from 'ioredis'
import pRetry, { type Options } from 'p-retry'
import {
  historyCovers, isNewer, readHistory, UnsupportedJobEvent, type Entry, type EventId
} from '@tidings/job-events'

/** A short outage of Redis is retried for about 4 s; after that the client has to reconnect later. */
const RETRIES: Options = {
  retries: 4,
  minTimeout: 250,
  maxTimeout: 2000,
  shouldRetry: ({ error }) => !(error instanceof UnsupportedJobEvent || isJunk(error))
}

/** The value at the key is not a history, or its ids are not ours: it holds no events. */
const isJunk = (err: unknown) =>
  err instanceof TypeError || (err instanceof Error && err.message.startsWith('WRONGTYPE'))

export type Range = { userId: string, since: EventId, until: EventId }

/** Handles a page of events; returns whether to read the next one. */
type OnPage = (entries: Entry[]) => Promise<boolean>

export type History = {
  /**
   * Reads the events of a user in (since, until], page by page. False if the history does not hold all of them, or did
   * not any more when a page was read.
   */
  replay: (range: Range, onPage: OnPage) => Promise<boolean>
  /** Whether all ids that are given out from now on are above this one, by the clock of Redis. */
  isPast: (id: EventId) => Promise<boolean>
}

/** The event histories of users, from which sessions resume. */
export function createHistory ({ redis, ttlMs }: { redis: Redis, ttlMs: number }): History {
  async function covers (userId: string, since: EventId): Promise<boolean> {
    return (await historyCovers(redis, userId, since, ttlMs)).covers
  }

  async function replay ({ userId, since, until }: Range, onPage: OnPage): Promise<boolean> {
    let from = since
    const attempt = async () => {
      for await (const page of readHistory(redis, userId, from)) {
        // Checked after the page was read: nothing between `from` and the page had left the history by then. An empty
        // page after others is checked too: a history that has disappeared ends there as well.
        if (!await covers(userId, from)) return false
        const continues = await onPage(page.filter(({ id }) => !isNewer(id, until)))
        from = page.at(-1)?.id ?? from
        if (!continues || !isNewer(until, from)) return true
      }
      return true
    }
    return await pRetry(attempt, RETRIES).catch((err: unknown) => {
      if (isJunk(err)) return false
      throw err
    })
  }

  async function isPast ({ ms }: EventId): Promise<boolean> {
    const [seconds, microseconds] = await pRetry(async () => await redis.time(), RETRIES)
    return ms < Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  }

  return { replay, isPast }
}
