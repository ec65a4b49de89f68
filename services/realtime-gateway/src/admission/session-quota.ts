import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { REPLICAS_KEY, userSessionsKey } from '@tidings/contracts'

const HEARTBEAT_MS = 1000
/** A replica that misses so many was killed, and what it holds is free: a Socket.IO client that is refused does not try again. */
const MISSED_HEARTBEATS = 5
const REFRESH_MS = 60_000
const TTL_MS = 3 * REFRESH_MS

type Log = { warn (fields: object, message: string): void }
type Commands = {
  tidingsAcquireSession: (key: string, replicas: string, replica: string, count: number, max: number, silentMs: number, ttl: number) => Promise<0 | 1>
  tidingsHeartbeat: (replicas: string, replica: string, forgetMs: number) => Promise<unknown>
}

export type SessionQuota = ReturnType<typeof createSessionQuota>

/**
 * Bounds the sessions of a user over all replicas. Each replica writes down how
 * many it has; while Redis is away its own count alone decides.
 */
export function createSessionQuota ({ redis, max, log, heartbeatMs = HEARTBEAT_MS }: { redis: Redis, max: number, log: Log, heartbeatMs?: number }) {
  const replica = randomUUID()
  const ownCounts = new Map<string, number>()
  const commands = withCommands(redis)
  const refreshing = setInterval(() => { refresh().catch(warn) }, REFRESH_MS).unref()
  const living = setInterval(() => {
    commands.tidingsHeartbeat(REPLICAS_KEY, replica, TTL_MS).catch(() => {}) // whoever wants a seat hears of it
  }, heartbeatMs).unref()
  const refreshNow = () => { refresh().catch(warn) } // what Redis may have lost meanwhile
  redis.on('ready', refreshNow)

  /** Takes a seat; undefined where the user has no more, else what gives it back. */
  async function acquire (userId: string): Promise<(() => void) | undefined> {
    const count = (ownCounts.get(userId) ?? 0) + 1
    if (count > max) return undefined
    ownCounts.set(userId, count)
    const granted = await commands.tidingsAcquireSession(userSessionsKey(userId), REPLICAS_KEY, replica, count, max, MISSED_HEARTBEATS * heartbeatMs, TTL_MS).catch(failOpen)
    if (granted === 0) {
      release(userId)
      return undefined
    }
    return releaseOnce(userId)
  }

  // Not made inside `take`: what is made there keeps all of it alive as long as the seat is taken.
  function releaseOnce (userId: string) {
    let held = true
    return () => {
      if (held) release(userId)
      held = false
    }
  }

  function release (userId: string) {
    const count = (ownCounts.get(userId) ?? 1) - 1
    if (count > 0) ownCounts.set(userId, count)
    else ownCounts.delete(userId)
    write(userId, count).catch(warn)
  }

  async function write (userId: string, count: number) {
    const key = userSessionsKey(userId)
    if (count === 0) return await redis.hdel(key, replica)
    return await redis.multi().hset(key, replica, count).pexpire(key, TTL_MS).exec()
  }

  async function refresh () {
    for (const [userId, count] of ownCounts) await write(userId, count)
  }

  function failOpen (err: Error) {
    warn(err)
    return 1
  }

  function warn (err: Error) {
    log.warn({ err }, 'seats: not counted over replicas')
  }

  function close () {
    clearInterval(refreshing)
    clearInterval(living)
    redis.off('ready', refreshNow)
  }

  return { acquire, close }
}

function withCommands (redis: Redis): Commands {
  const scriptOf = (name: string) => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8')
  redis.defineCommand('tidingsAcquireSession', { numberOfKeys: 2, lua: scriptOf('acquire-session') })
  redis.defineCommand('tidingsHeartbeat', { numberOfKeys: 1, lua: scriptOf('heartbeat') })
  return redis as Redis & Commands
}
