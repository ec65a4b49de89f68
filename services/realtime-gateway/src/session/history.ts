import type { Redis } from 'ioredis'
import pRetry, { type Options } from 'p-retry'
import { historyCovers, isNewer, readHistory, UnsupportedJobEvent, type Entry, type EventId } from '@tidings/job-events'

/** A hiccup of Redis is waited out for about 4 s; then the client comes back later. */
const RETRIES: Options = {
  retries: 4,
  minTimeout: 250,
  maxTimeout: 2000,
  shouldRetry: ({ error }) => !(error instanceof UnsupportedJobEvent || isJunk(error))
}

/** What stands at the key is no history, or its ids are none of ours: then it holds nothing that can be told. */
const isJunk = (err: unknown) => err instanceof TypeError || (err instanceof Error && err.message.startsWith('WRONGTYPE'))

export type Range = { userId: string, since: EventId, until: EventId }

export type History = {
  /**
   * Hands over a user's events in (since, until], page by page; each page says
   * whether to go on. False where the history does not hold all of them, or
   * no longer did when a page was read.
   */
  replay: (range: Range, onPage: (entries: Entry[]) => Promise<boolean>) => Promise<boolean>
}

/** What sessions resume from. */
export function createHistory ({ redis, ttlMs }: { redis: Redis, ttlMs: number }): History {
  async function covers (userId: string, since: EventId): Promise<boolean> {
    return (await historyCovers(redis, userId, since, ttlMs)).covers
  }

  async function replay ({ userId, since, until }: Range, onPage: (entries: Entry[]) => Promise<boolean>): Promise<boolean> {
    let from = since
    const attempt = async () => {
      for await (const page of readHistory(redis, userId, from)) {
        // Asked after the page was read: nothing between `from` and the page had been trimmed by then.
        if (!await covers(userId, from)) return false
        const continues = await onPage(page.filter(({ id }) => !isNewer(id, until)))
        from = page.at(-1)?.id ?? from
        if (!continues || !isNewer(until, from)) return true
      }
      return from !== since || await covers(userId, since)
    }
    return await pRetry(attempt, RETRIES).catch((err: unknown) => {
      if (isJunk(err)) return false
      throw err
    })
  }

  return { replay }
}
