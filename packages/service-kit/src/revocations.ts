import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { isIssuedBefore, REVOCATIONS_KEY, type Identity as WholeIdentity } from '@tidings/contracts'

/** What is known of a user is asked for again after so long, behind their requests. */
const FRESH_MS = 5000
/** And before them where it is as old as this: a revocation reaches every service within this time. */
const STALE_MS = 10_000
/** How long a request waits for Redis to say whether its user is revoked. */
const WAIT_MS = 200
const MAX_USERS = 20_000

type Identity = Pick<WholeIdentity, 'userId' | 'issuedAt'>
type Known = { notBefore: number, askedAt: number }

/**
 * Decorates `app.isRevoked(identity)`: whether the user's tokens of that time
 * were revoked. Users that come often are asked about once in five seconds,
 * behind their requests, others before; while Redis is away, what was known
 * last holds, and who is not known passes. Who is known is told of at once.
 */
export const revocations = fp(async function revocations (app) {
  app.decorate('isRevoked', createRevocationCheck(app.redis, err => app.log.debug({ err }, 'revocations: could not be asked')))
}, { name: 'revocations', dependencies: ['redis'] })

export function createRevocationCheck (redis: Redis, onFault: (err: unknown) => void, waitMs = WAIT_MS) {
  // In the order of their first request: the oldest goes when there are too many.
  const users = new Map<string, Known>()

  const asking = new Map<string, Promise<Known>>()

  /** One question at a time about a user, for all requests that wait. */
  function ask (userId: string): Promise<Known> {
    const question = asking.get(userId) ?? askRedis(userId).finally(() => asking.delete(userId))
    asking.set(userId, question)
    return question
  }

  async function askRedis (userId: string): Promise<Known> {
    const notBefore = Number(await redis.hget(REVOCATIONS_KEY, userId) ?? 0)
    const known = { notBefore, askedAt: Date.now() }
    users.set(userId, known)
    if (users.size > MAX_USERS) users.delete(users.keys().next().value as string)
    return known
  }

  /** What is known counts as asked: else each request would wait for a Redis that does not answer. */
  function holdOn (userId: string, err: unknown): undefined {
    const known = users.get(userId)
    if (known) known.askedAt = Date.now()
    onFault(err)
  }

  async function askFirst (identity: Identity): Promise<boolean> {
    const { userId } = identity
    const known = await within(waitMs, ask(userId)).catch(err => holdOn(userId, err)) ?? users.get(userId)
    return isVoid(identity, known)
  }

  return function isRevoked (identity: Identity): boolean | Promise<boolean> {
    const { userId } = identity
    const known = users.get(userId)
    const age = known ? Date.now() - known.askedAt : Infinity
    if (age > STALE_MS) return askFirst(identity)
    if (age > FRESH_MS) ask(userId).catch(err => holdOn(userId, err))
    return isVoid(identity, known)
  }
}

function isVoid (identity: Identity, known: Known | undefined): boolean {
  return known !== undefined && known.notBefore > 0 && isIssuedBefore(identity, known.notBefore)
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
    isRevoked: (identity: Identity) => boolean | Promise<boolean>
  }
}
