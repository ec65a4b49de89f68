import type { Redis } from 'ioredis'
import { isIssuedBefore, REVOCATIONS_KEY, type Identity } from '@tidings/contracts'
import { notBeforeOf, orUnavailable } from '@tidings/service-kit'
import type { Hub } from '../session/hub.ts'

const SWEEP_MS = 10_000
const PAGE = 500
/** Some 10 MiB. Further revoked users are refused only while Redis answers. */
const MAX_KNOWN = 100_000

type Log = { warn (fields: object, message: string): void }

export type Revocations = ReturnType<typeof createRevocations>

/**
 * Revokes the tokens of a user that were issued before a moment. The moment is state in Redis. It is read at each
 * connect, and for all sessions in a periodic sweep, so that no session survives on a replica that missed the message.
 * Known moments are kept here too, for the time when Redis is away or has lost them.
 *
 * service-kit's check, whose answers may be 10 s old, is for requests: a session that is admitted would stay.
 */
export function createRevocations ({ redis, hub, log }: { redis: Redis, hub: Hub, log: Log }) {
  const known = new Map<string, number>()
  const timer = setInterval(() => { sweep().then(loadAll).catch(warn) }, SWEEP_MS).unref()
  const onReady = () => { loadAll().catch(warn) }
  redis.on('ready', onReady)
  if (redis.status === 'ready') onReady()

  async function isRevoked (identity: Identity): Promise<boolean> {
    remember(identity.userId, await redis.hget(REVOCATIONS_KEY, identity.userId).catch(warn))
    const notBefore = known.get(identity.userId)
    return notBefore !== undefined && isIssuedBefore(identity, notBefore)
  }

  /** Stores that tokens issued until now are void; returns the moment, in seconds. */
  async function revoke (userId: string): Promise<number> {
    // Times of issue are whole seconds: those of the current one are void too.
    const notBefore = Math.floor(Date.now() / 1000) + 1
    await orUnavailable(redis.hset(REVOCATIONS_KEY, userId, notBefore))
    return notBefore
  }

  /** Ends the sessions that a user has here with an older token. */
  function apply (userId: string, notBefore: number): void {
    remember(userId, notBefore)
    for (const session of hub.sessionsWithTokenOf(userId)) {
      if (isIssuedBefore(session.identity, notBefore)) session.end('revoked')
    }
  }

  async function sweep () {
    const { tokenUsers: users } = hub
    for (let i = 0; i < users.length; i += PAGE) {
      const page = users.slice(i, i + PAGE)
      const found = await redis.hmget(REVOCATIONS_KEY, ...page)
      found.forEach((notBefore, j) => { if (notBefore) apply(page[j] as string, Number(notBefore)) })
    }
  }

  /** Reads all revocations: a message may have been missed for a user without a session here. */
  async function loadAll () {
    let cursor = '0'
    do {
      const [next, page] = await redis.hscan(REVOCATIONS_KEY, cursor, 'COUNT', PAGE)
      for (let i = 0; i < page.length; i += 2) remember(page[i] as string, page[i + 1])
      cursor = next
    } while (cursor !== '0' && known.size < MAX_KNOWN)
  }

  /** A value that is not a time is ignored. As NaN it would outlast every later revocation. */
  function remember (userId: string, text: string | number | null | undefined) {
    const notBefore = notBeforeOf(text)
    if (notBefore === 0) return
    if (known.size >= MAX_KNOWN && !known.has(userId)) return
    known.set(userId, Math.max(notBefore, known.get(userId) ?? 0))
  }

  function warn (err: Error): undefined {
    log.warn({ err }, 'revocations: Redis did not answer')
  }

  function close () {
    clearInterval(timer)
    redis.off('ready', onReady)
  }

  return { isRevoked, revoke, apply, sweep, close }
}
