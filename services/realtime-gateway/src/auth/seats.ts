import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { userSeatsKey } from '@tidings/contracts'

const REFRESH_MS = 15_000
const TTL_MS = 3 * REFRESH_MS
const TAKE_SEAT = readFileSync(new URL('./take-seat.lua', import.meta.url), 'utf8')

type Log = { warn (fields: object, message: string): void }
type TakeSeat = (key: string, replica: string, count: number, now: number, ttl: number, max: number) => Promise<0 | 1>

export type Seats = ReturnType<typeof createSeats>

/**
 * Bounds the sessions of a user over all replicas. Each replica writes down how
 * many it has; while Redis is away its own count alone decides.
 */
export function createSeats ({ redis, max, log }: { redis: Redis, max: number, log: Log }) {
  const replica = randomUUID()
  const taken = new Map<string, number>()
  redis.defineCommand('tidingsTakeSeat', { numberOfKeys: 1, lua: TAKE_SEAT })
  const takeSeat = (redis as Redis & { tidingsTakeSeat: TakeSeat }).tidingsTakeSeat.bind(redis)
  const timer = setInterval(() => { refresh().catch(warn) }, REFRESH_MS).unref()

  /** Takes a seat; undefined where the user has no more, else what gives it back. */
  async function take (userId: string): Promise<(() => void) | undefined> {
    const count = (taken.get(userId) ?? 0) + 1
    if (count > max) return undefined
    taken.set(userId, count)
    const granted = await takeSeat(userSeatsKey(userId), replica, count, Date.now(), TTL_MS, max).catch(failOpen)
    if (granted === 0) {
      giveBack(userId)
      return undefined
    }
    return seatOf(userId)
  }

  // Not made inside `take`: what is made there keeps all of it alive as long as the seat is taken.
  function seatOf (userId: string) {
    let held = true
    return () => {
      if (held) giveBack(userId)
      held = false
    }
  }

  function giveBack (userId: string) {
    const count = (taken.get(userId) ?? 1) - 1
    if (count > 0) taken.set(userId, count)
    else taken.delete(userId)
    write(userId, count).catch(warn)
  }

  async function write (userId: string, count: number) {
    const key = userSeatsKey(userId)
    if (count === 0) return await redis.hdel(key, replica)
    return await redis.multi().hset(key, replica, `${count}:${Date.now()}`).pexpire(key, TTL_MS).exec()
  }

  async function refresh () {
    for (const [userId, count] of taken) await write(userId, count)
  }

  function failOpen (err: Error) {
    warn(err)
    return 1
  }

  function warn (err: Error) {
    log.warn({ err }, 'seats: not counted over replicas')
  }

  return { take, close: () => clearInterval(timer) }
}
