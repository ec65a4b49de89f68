import createError from '@fastify/error'

const TooManyOfUser = createError('TOO_MANY_LONG_POLLS', 'You have too many long polls already', 429)
const TooMany = createError('TOO_MANY_LONG_POLLS', 'There are too many long polls already', 503)

type LongPollLimits = { max: number, maxPerUser: number }

/** Limits the number of long polls, in total and per user, so that one user cannot use them all. */
export function createLongPolls ({ max, maxPerUser }: LongPollLimits) {
  const byUser = new Map<string, number>()
  let active = 0

  /** Runs `poll` if the limits allow it. */
  async function hold<Result> (userId: string, poll: () => Promise<Result>): Promise<Result> {
    const own = byUser.get(userId) ?? 0
    if (own >= maxPerUser) throw new TooManyOfUser()
    if (active >= max) throw new TooMany()
    byUser.set(userId, own + 1)
    active++
    try {
      return await poll()
    } finally {
      release(userId)
    }
  }

  function release (userId: string) {
    const left = (byUser.get(userId) ?? 1) - 1
    if (left > 0) byUser.set(userId, left)
    else byUser.delete(userId)
    active--
  }

  return {
    hold,
    get active () { return active }
  }
}
