import type { Redis } from 'ioredis'
import { isIssuedBefore, REVOCATIONS_KEY, type Identity } from '@tidings/contracts'
import { orUnavailable } from './or-unavailable.ts'
import type { Hub } from '../session/hub.ts'

const SWEEP_MS = 10_000
const PAGE = 500
/** Some 10 MiB. Who is revoked beyond is refused while Redis answers. */
const MAX_KNOWN = 100_000

type Log = { warn (fields: object, message: string): void }

export type Revocations = ReturnType<typeof createRevocations>

/**
 * Tokens of a user that were issued before a moment are worth nothing. The
 * moment is state in Redis: asked at each connect, and for all sessions in a
 * sweep, so that a replica that missed the message lets no one stay. What was
 * heard of it is kept here too, for when Redis is away or has lost it.
 */
export function createRevocations ({ redis, hub, log }: { redis: Redis, hub: Hub, log: Log }) {
  const known = new Map<string, number>()
  const timer = setInterval(() => { sweep().then(loadAll).catch(warn) }, SWEEP_MS).unref()
  const onReady = () => { loadAll().catch(warn) }
  redis.on('ready', onReady)
  if (redis.status === 'ready') onReady()

  async function isRevoked (identity: Identity): Promise<boolean> {
    note(identity.userId, await redis.hget(REVOCATIONS_KEY, identity.userId).catch(warn))
    const notBefore = known.get(identity.userId)
    return notBefore !== undefined && isIssuedBefore(identity, notBefore)
  }

  /** Writes down that tokens issued until now are void; returns the moment, in seconds. */
  async function revoke (userId: string): Promise<number> {
    // Times of issue are whole seconds: those of the current one are void too.
    const notBefore = Math.floor(Date.now() / 1000) + 1
    await orUnavailable(redis.hset(REVOCATIONS_KEY, userId, notBefore))
    return notBefore
  }

  /** Ends a user's sessions here whose token is older. */
  function apply (userId: string, notBefore: number): void {
    note(userId, notBefore)
    for (const session of hub.sessionsOf(userId) ?? []) {
      if (isIssuedBefore(session.identity, notBefore)) session.end('revoked')
    }
  }

  async function sweep () {
    const { users } = hub
    for (let i = 0; i < users.length; i += PAGE) {
      const page = users.slice(i, i + PAGE)
      const found = await redis.hmget(REVOCATIONS_KEY, ...page)
      found.forEach((notBefore, j) => { if (notBefore) apply(page[j] as string, Number(notBefore)) })
    }
  }

  /** A message may have been missed, and its user may have no session here. */
  async function loadAll () {
    let cursor = '0'
    do {
      const [next, page] = await redis.hscan(REVOCATIONS_KEY, cursor, 'COUNT', PAGE)
      for (let i = 0; i < page.length; i += 2) note(page[i] as string, page[i + 1])
      cursor = next
    } while (cursor !== '0' && known.size < MAX_KNOWN)
  }

  /** Junk is left out: as NaN it would outlast every revocation to come. */
  function note (userId: string, text: string | number | null | undefined) {
    const notBefore = Number(text ?? 0)
    if (!Number.isSafeInteger(notBefore) || notBefore <= 0) return
    if (known.size >= MAX_KNOWN && !known.has(userId)) return
    known.set(userId, Math.max(notBefore, known.get(userId) ?? 0))
  }

  function warn (err: Error): undefined {
    log.warn({ err }, 'revocations: could not be asked')
  }

  function close () {
    clearInterval(timer)
    redis.off('ready', onReady)
  }

  return { isRevoked, revoke, apply, sweep, close }
}
