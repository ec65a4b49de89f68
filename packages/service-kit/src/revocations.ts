import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { isIssuedBefore, REVOCATIONS_KEY, type Identity as WholeIdentity } from '@tidings/contracts'
import { withTimeout } from './async.ts'

/** An entry older than this is refreshed in the background. */
const FRESH_MS = 5000
/** A request waits for the refresh of an entry older than this: a revocation reaches every service within this time. */
const STALE_MS = 10_000
/** How long a request waits for Redis to say whether its user is revoked. */
const WAIT_MS = 200
const MAX_USERS = 20_000

type Identity = Pick<WholeIdentity, 'userId' | 'issuedAt'>

/**
 * Decorates `app.isRevoked(identity)`: whether the tokens of the user that were issued at that time are revoked. For
 * known users the answer is synchronous. While Redis is away the last known answer holds, and unknown users are
 * allowed.
 */
export const revocations = fp(async function revocations (app) {
  app.decorate(
    'isRevoked', createRevocationCheck(app.redis, err => app.log.debug({ err }, 'revocations: Redis did not answer'))
  )
}, { name: 'revocations', dependencies: ['redis'] })

export function createRevocationCheck (redis: Redis, onFault: (err: unknown) => void, waitMs = WAIT_MS) {
  // user → the moment before which tokens are void, in seconds; 0 for none
  const users = new LRUCache<string, number>({
    max: MAX_USERS,
    ttl: STALE_MS,
    ttlResolution: 0, // otherwise the cache sets a timer in each millisecond
    perf: Date,
    noDeleteOnStaleGet: true,
    ignoreFetchAbort: true,
    fetchMethod: async (userId, known) => {
      try {
        return notBeforeOf(await redis.hget(REVOCATIONS_KEY, userId))
      } catch (err) {
        onFault(err)
        return known // as if Redis had just confirmed it: otherwise each request would wait for a Redis that is away
      }
    }
  })

  async function fetchFirst (identity: Identity): Promise<boolean> {
    const { userId } = identity
    const notBefore = await withTimeout(users.fetch(userId), waitMs, () => users.get(userId, { allowStale: true }))
    return isVoid(identity, notBefore)
  }

  return function isRevoked (identity: Identity): boolean | Promise<boolean> {
    const { userId } = identity
    const notBefore = users.get(userId)
    if (notBefore === undefined) return fetchFirst(identity)
    if (users.getRemainingTTL(userId) < STALE_MS - FRESH_MS) users.fetch(userId, { forceRefresh: true }).catch(onFault)
    return isVoid(identity, notBefore)
  }
}

/** A moment of the revocations hash, in seconds; 0 where there is none, or where it is not a time. */
export function notBeforeOf (text: string | number | null | undefined): number {
  const seconds = Number(text ?? 0)
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : 0
}

function isVoid (identity: Identity, notBefore = 0): boolean {
  return notBefore > 0 && isIssuedBefore(identity, notBefore)
}

declare module 'fastify' {
  interface FastifyInstance {
    isRevoked: (identity: Identity) => boolean | Promise<boolean>
  }
}
