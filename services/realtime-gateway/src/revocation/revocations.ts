import type { Redis } from 'ioredis'
import { isIssuedBefore, REVOCATIONS_KEY, type Identity } from '@tidings/contracts'
import type { Audience } from '../session/audience.ts'

const SWEEP_MS = 10_000
const PAGE = 500

type Log = { warn (fields: object, message: string): void }

export type Revocations = ReturnType<typeof createRevocations>

/**
 * Tokens of a user that were issued before a moment are worth nothing. The
 * moment is state in Redis: asked at each connect, and for all sessions in a
 * sweep, so that a replica that missed the message lets no one stay.
 */
export function createRevocations ({ redis, audience, log }: { redis: Redis, audience: Audience, log: Log }) {
  const timer = setInterval(() => { sweep().catch(warn) }, SWEEP_MS).unref()

  /** While Redis is away nobody is refused; the sweep makes up for it when it is back. */
  async function isRevoked (identity: Identity): Promise<boolean> {
    const notBefore = await redis.hget(REVOCATIONS_KEY, identity.userId).catch(warn)
    return notBefore ? isIssuedBefore(identity, Number(notBefore)) : false
  }

  /** Writes down that tokens issued until now are void; returns the moment, in seconds. */
  async function revoke (userId: string): Promise<number> {
    // Times of issue are whole seconds: those of the current one are void too.
    const notBefore = Math.floor(Date.now() / 1000) + 1
    await redis.hset(REVOCATIONS_KEY, userId, notBefore)
    return notBefore
  }

  /** Ends a user's sessions here whose token is older. */
  function apply (userId: string, notBefore: number): void {
    for (const session of audience.of(userId) ?? []) {
      if (isIssuedBefore(session.identity, notBefore)) session.end('revoked')
    }
  }

  async function sweep () {
    const { users } = audience
    for (let i = 0; i < users.length; i += PAGE) {
      const page = users.slice(i, i + PAGE)
      const found = await redis.hmget(REVOCATIONS_KEY, ...page)
      found.forEach((notBefore, j) => { if (notBefore) apply(page[j] as string, Number(notBefore)) })
    }
  }

  function warn (err: Error): undefined {
    log.warn({ err }, 'revocations: could not be asked')
  }

  return { isRevoked, revoke, apply, sweep, close: () => clearInterval(timer) }
}
