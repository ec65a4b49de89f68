import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { eventIdOf, isNewer } from '@tidings/job-events'

/** As many as the relay reads at a time: 2 ms of Redis. */
const PAGE = 200
/** Pages of one look; who is not at the end by then looks on the next time. */
const MAX_PAGES = 250

const LUA = readFileSync(new URL('./look-ahead.lua', import.meta.url), 'utf8')

type Command = { tidingsLookAhead (key: string, from: string, to: string, count: number): Promise<[] | [last: string, ...begins: string[]]> }

/**
 * Tells which jobs begin in what BullMQ has told behind an entry. Each entry is
 * looked at once, however far the relay is behind: what was seen is remembered
 * until the relay has come there.
 */
export function createLookAhead (client: Redis, key: string) {
  const redis = withCommand(client)
  /** The newest `added` of each job between the relay and `seen`, oldest first. */
  const begins = new Map<string, string>()
  let seen = '0-0'

  /**
   * Whether a job begins after `end`, by all that was told up to `last`;
   * undefined where that can't be seen any more.
   * @throws where there is more to see than one look can
   */
  async function beginsAfter (end: string, last: string): Promise<((jobId: string) => boolean) | undefined> {
    forget(end)
    for (let page = 0; isAbove(last, seen); page++) {
      if (page === MAX_PAGES) throw new Error('Whose jobs these are shows only further ahead')
      const [lastSeen, ...found] = await redis.tidingsLookAhead(key, seen, last, PAGE)
      if (lastSeen === undefined) {
        seen = '0-0'
        return undefined
      }
      for (let i = 0; i < found.length; i += 2) remember(found[i] as string, found[i + 1] as string)
      seen = lastSeen
    }
    return jobId => begins.has(jobId)
  }

  function forget (end: string) {
    if (isAbove(end, seen)) {
      begins.clear()
      seen = end
    }
    for (const [jobId, added] of begins) {
      if (isAbove(added, end)) break
      begins.delete(jobId)
    }
  }

  function remember (jobId: string, added: string) {
    begins.delete(jobId) // to the end of the map
    begins.set(jobId, added)
  }

  return { beginsAfter }
}

function isAbove (a: string, b: string): boolean {
  return isNewer(eventIdOf(a), eventIdOf(b))
}

function withCommand (redis: Redis): Redis & Command {
  if (!('tidingsLookAhead' in redis)) redis.defineCommand('tidingsLookAhead', { numberOfKeys: 1, lua: LUA, readOnly: true })
  return redis as Redis & Command
}
