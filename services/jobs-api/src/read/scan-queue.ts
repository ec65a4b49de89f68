import createError from '@fastify/error'

const TooManyOfUser = createError('TOO_MANY_SEARCHES', 'You have too many searches in progress already', 429)
const TooMany = createError('TOO_MANY_SEARCHES', 'There are too many searches in progress already', 503)

type ScanLimits = {
  /** Scans at a time. */
  maxRunning: number
  /** Scans that run or wait. */
  max: number
  maxPerUser: number
}

/**
 * Runs statements that read many rows, a few at a time and in the order of arrival, so that they never take all
 * connections to Postgres from polls.
 */
export function createScanQueue ({ maxRunning, max, maxPerUser }: ScanLimits) {
  const byUser = new Map<string, number>()
  const waiting: (() => void)[] = []
  let running = 0

  /** Runs `scan` when it is its turn; not if the client is gone by then. */
  return async function run<Result> (
    userId: string, signal: AbortSignal, scan: () => Promise<Result>
  ): Promise<Result> {
    const own = byUser.get(userId) ?? 0
    if (own >= maxPerUser) throw new TooManyOfUser()
    if (running + waiting.length >= max) throw new TooMany()
    byUser.set(userId, own + 1)
    try {
      if (running >= maxRunning) await new Promise<void>(resolve => waiting.push(resolve))
      else running++
      try {
        if (signal.aborted) throw Object.assign(new Error('The client is gone'), { statusCode: 499 }) // nobody reads it
        return await scan()
      } finally {
        // The next one takes the place; otherwise it is free.
        const next = waiting.shift()
        if (next) next()
        else running--
      }
    } finally {
      const left = (byUser.get(userId) ?? 1) - 1
      if (left > 0) byUser.set(userId, left)
      else byUser.delete(userId)
    }
  }
}
