import { TokenBucket } from '../session/token-bucket.ts'

/** Users whose rate is known; of more, those that have used nothing of it are forgotten. */
const MAX_USERS = 20_000

type Rates = { perSecond: number, maxSessions: number }

/**
 * How many sessions may be opened: so many a second in all, and of one user no
 * more than a part of them, so that nobody takes the others' share. A user may
 * open all of their sessions at once, twice.
 */
export function createConnectRates ({ perSecond, maxSessions }: Rates) {
  const all = new TokenBucket(perSecond)
  const users = new Map<string, TokenBucket>()

  function bucketOf (userId: string): TokenBucket {
    const known = users.get(userId)
    if (known) return known
    if (users.size >= MAX_USERS) forgetIdle()
    const bucket = new TokenBucket(Math.max(20, maxSessions / 5), Math.max(100, 2 * maxSessions))
    users.set(userId, bucket)
    return bucket
  }

  function forgetIdle () {
    for (const [userId, bucket] of users) if (bucket.isFull()) users.delete(userId)
    for (const userId of users.keys()) {
      if (users.size < MAX_USERS) return
      users.delete(userId)
    }
  }

  return { take: (userId: string) => bucketOf(userId).take() && all.take() }
}
