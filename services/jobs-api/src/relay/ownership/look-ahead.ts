import type { Redis } from 'ioredis'
import { eventIdOf, isNewer } from '@tidings/job-events'
import { loadLua } from '@tidings/service-kit'

/** The size of the relay's own batches: 2 ms of Redis. */
const PAGE = 200
/** Pages of one call; a scan that is not at the end by then continues with the next call. */
const MAX_PAGES = 250

const LUA = loadLua('look-ahead', import.meta.url)

type Reply = [] | [last: string, ...starts: string[]]
type Command = { tidingsLookAhead (key: string, from: string, to: string, count: number): Promise<Reply> }

/**
 * Finds the jobs that are added again after a given entry of BullMQ's stream. Each entry is scanned once, however far
 * behind the relay is: the findings are kept until the relay has passed them.
 */
export function createLookAhead (client: Redis, key: string) {
  const redis = withCommand(client)
  /** The newest `added` of each job between the relay and `scannedTo`, oldest first. */
  const starts = new Map<string, string>()
  let scannedTo = '0-0'

  /**
   * Returns whether a job starts after `end`, in the entries up to `last`; undefined if some of them were trimmed.
   * @throws if there is more to scan than one call may
   */
  async function startsAfter (end: string, last: string): Promise<((jobId: string) => boolean) | undefined> {
    dropRelayed(end)
    for (let page = 0; isAbove(last, scannedTo); page++) {
      if (page === MAX_PAGES) throw new Error('Owners cannot be looked up yet: the relay is far behind')
      const [lastScanned, ...found] = await redis.tidingsLookAhead(key, scannedTo, last, PAGE)
      if (lastScanned === undefined) {
        scannedTo = '0-0'
        return undefined
      }
      for (let i = 0; i < found.length; i += 2) keep(found[i] as string, found[i + 1] as string)
      scannedTo = lastScanned
    }
    return jobId => starts.has(jobId)
  }

  function dropRelayed (end: string) {
    if (isAbove(end, scannedTo)) {
      starts.clear()
      scannedTo = end
    }
    for (const [jobId, added] of starts) {
      if (isAbove(added, end)) break
      starts.delete(jobId)
    }
  }

  function keep (jobId: string, added: string) {
    starts.delete(jobId) // so that it moves to the end of the map
    starts.set(jobId, added)
  }

  return { startsAfter }
}

function isAbove (a: string, b: string): boolean {
  return isNewer(eventIdOf(a), eventIdOf(b))
}

function withCommand (redis: Redis): Redis & Command {
  if (!('tidingsLookAhead' in redis)) {
    redis.defineCommand('tidingsLookAhead', { numberOfKeys: 1, lua: LUA, readOnly: true })
  }
  return redis as Redis & Command
}
