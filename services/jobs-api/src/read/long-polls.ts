import createError from '@fastify/error'

const TooManyOfOne = createError('TOO_MANY_LONG_POLLS', 'You hold too many requests already', 429)
const TooMany = createError('TOO_MANY_LONG_POLLS', 'Too many requests are held already', 503)

type LongPollBounds = { max: number, maxPerUser: number }

/**
 * Bounds how many requests may be held at a time, in all and for one user, so
 * that nobody takes all the places.
 */
export function longPolls ({ max, maxPerUser }: LongPollBounds) {
  const held = new Map<string, number>()
  let all = 0

  /** Runs `hold` if there is a place for it. */
  async function withPlace<Result> (userId: string, hold: () => Promise<Result>): Promise<Result> {
    const own = held.get(userId) ?? 0
    if (own >= maxPerUser) throw new TooManyOfOne()
    if (all >= max) throw new TooMany()
    held.set(userId, own + 1)
    all++
    try {
      return await hold()
    } finally {
      leave(userId)
    }
  }

  function leave (userId: string) {
    const left = (held.get(userId) ?? 1) - 1
    if (left > 0) held.set(userId, left)
    else held.delete(userId)
    all--
  }

  return {
    withPlace,
    get held () { return all }
  }
}
