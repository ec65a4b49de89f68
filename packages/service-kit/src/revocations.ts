import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { isIssuedBefore, REVOCATIONS_KEY, type Identity } from '@tidings/contracts'

/** A revocation reaches every service within this time. */
const FRESH_MS = 5000
/** How long a request waits for Redis to say whether a user that was not seen before is revoked. */
const WAIT_MS = 200
const MAX_USERS = 20_000

type Known = { notBefore: number, askedAt: number }

/**
 * Decorates `app.isRevoked(identity)`: whether the user's tokens of that time
 * were revoked. Users that come often are asked about once in five seconds,
 * behind their requests; while Redis is away, what was known last holds, and
 * who is not known passes.
 */
export const revocations = fp(async function revocations (app) {
  app.decorate('isRevoked', createRevocationCheck(app.redis, err => app.log.debug({ err }, 'revocations: could not be asked')))
}, { name: 'revocations', dependencies: ['redis'] })

export function createRevocationCheck (redis: Redis, onFault: (err: unknown) => void) {
  // In the order of their first request: the oldest goes when there are too many.
  const users = new Map<string, Known>()

  async function ask (userId: string): Promise<Known> {
    const last = users.get(userId)
    // Noted before it is asked, so that one request asks and not all that come meanwhile.
    if (last) last.askedAt = Date.now()
    const notBefore = Number(await redis.hget(REVOCATIONS_KEY, userId) ?? 0)
    const known = { notBefore, askedAt: Date.now() }
    users.set(userId, known)
    if (users.size > MAX_USERS) users.delete(users.keys().next().value as string)
    return known
  }

  return async function isRevoked (identity: Identity): Promise<boolean> {
    const { userId } = identity
    let known = users.get(userId)
    if (!known) known = await within(WAIT_MS, ask(userId)).catch(onFault) ?? undefined
    else if (Date.now() - known.askedAt > FRESH_MS) ask(userId).catch(onFault)
    return known !== undefined && known.notBefore > 0 && isIssuedBefore(identity, known.notBefore)
  }
}

async function within<T> (ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => { timer = setTimeout(resolve, ms, undefined) })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
    promise.catch(() => {}) // told above, unless it was too late to be
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    isRevoked: (identity: Identity) => Promise<boolean>
  }
}
