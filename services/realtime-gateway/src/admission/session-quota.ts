import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { REPLICAS_KEY, userSessionsKey } from '@tidings/contracts'
import { loadLua } from '@tidings/service-kit'

const HEARTBEAT_MS = 1000
/**
 * A replica that misses so many heartbeats counts as killed, and its sessions as gone: a Socket.IO client that is
 * refused because of them would not try again.
 */
const MISSED_HEARTBEATS = 5
const REFRESH_MS = 60_000
const TTL_MS = 3 * REFRESH_MS

type Log = { warn (fields: object, message: string): void }
type Commands = {
  tidingsAcquireSession: (
    key: string, replicas: string, replica: string, count: number, max: number, silentMs: number, ttlMs: number
  ) => Promise<0 | 1>
  tidingsHeartbeat: (replicas: string, replica: string, expiryMs: number) => Promise<unknown>
}

type QuotaOptions = { redis: Redis, max: number, log: Log, heartbeatMs?: number }

export type SessionQuota = ReturnType<typeof createSessionQuota>

/**
 * Bounds the sessions of a user over all replicas. Each replica stores its own count in Redis. While Redis is away the
 * replica's own count alone decides.
 */
export function createSessionQuota ({ redis, max, log, heartbeatMs = HEARTBEAT_MS }: QuotaOptions) {
  const replica = randomUUID()
  const ownCounts = new Map<string, number>()
  const silentMs = MISSED_HEARTBEATS * heartbeatMs
  const commands = withCommands(redis)
  const refreshing = setInterval(() => { refresh().catch(warn) }, REFRESH_MS).unref()
  const beating = setInterval(() => {
    commands.tidingsHeartbeat(REPLICAS_KEY, replica, TTL_MS).catch(() => {}) // `acquire` logs it
  }, heartbeatMs).unref()
  const onReady = () => { refresh().catch(warn) } // Redis may have lost the counts
  redis.on('ready', onReady)

  /** Counts one more session of a user. Returns what releases it, or undefined if the user has too many. */
  async function acquire (userId: string): Promise<(() => void) | undefined> {
    const count = (ownCounts.get(userId) ?? 0) + 1
    if (count > max) return undefined
    ownCounts.set(userId, count)
    const key = userSessionsKey(userId)
    const granted = await commands.tidingsAcquireSession(key, REPLICAS_KEY, replica, count, max, silentMs, TTL_MS)
      .catch(failOpen)
    if (granted === 0) {
      release(userId)
      return undefined
    }
    return releaseOnce(userId)
  }

  // Not a closure inside `acquire`: that would keep all its variables alive as long as the session.
  function releaseOnce (userId: string) {
    let isHeld = true
    return () => {
      if (isHeld) release(userId)
      isHeld = false
    }
  }

  function release (userId: string) {
    const count = (ownCounts.get(userId) ?? 1) - 1
    if (count > 0) ownCounts.set(userId, count)
    else ownCounts.delete(userId)
    store(userId, count).catch(warn)
  }

  async function store (userId: string, count: number) {
    const key = userSessionsKey(userId)
    if (count === 0) return await redis.hdel(key, replica)
    return await redis.multi().hset(key, replica, count).pexpire(key, TTL_MS).exec()
  }

  async function refresh () {
    for (const [userId, count] of ownCounts) await store(userId, count)
  }

  function failOpen (err: Error) {
    warn(err)
    return 1
  }

  function warn (err: Error) {
    log.warn({ err }, 'session quota: sessions are not counted over all replicas')
  }

  function close () {
    clearInterval(refreshing)
    clearInterval(beating)
    redis.off('ready', onReady)
  }

  return { acquire, close }
}

function withCommands (redis: Redis): Commands {
  redis.defineCommand('tidingsAcquireSession', { numberOfKeys: 2, lua: loadLua('acquire-session', import.meta.url) })
  redis.defineCommand('tidingsHeartbeat', { numberOfKeys: 1, lua: loadLua('heartbeat', import.meta.url) })
  return redis as Redis & Commands
}
