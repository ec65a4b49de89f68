import { callbackify, promisify } from 'node:util'
import type { Redis } from 'ioredis'

/** What one process may let pass of a user before it tells Redis: a twentieth of the limit, and no more than this. */
const MAX_UNTOLD = 100
const UNTOLD_SHARE = 0.05
/** And for no longer than this. */
const TELL_MS = 1000
/** Users whose windows are under way; of more, the oldest is told and forgotten. */
const MAX_USERS = 20_000

const TELL = `
  local count = redis.call('INCRBY', KEYS[1], ARGV[1])
  local ttl = redis.call('PTTL', KEYS[1])
  if ttl < 0 then
    ttl = tonumber(ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ttl)
  end
  return {count, ttl}`

/** A user's window as this process knows it: `told` is what Redis has counted, over all replicas. */
type Window = { told: number, untold: number, endsAt: number, lengthMs: number }
type Counted = { current: number, ttl: number }
type Callback = (err: Error | null, counted: Counted | null) => void

type Teller = { tell (key: string, requests: number, windowMs: number): Promise<[count: number, ttl: number]> }

/**
 * Counts the requests of users over all replicas, for @fastify/rate-limit. A
 * trip to Redis costs a third of a poll, so each process counts in memory and
 * tells Redis of a few requests together, and near the limit of each. What may
 * pass beyond the limit are those few requests of each other process.
 *
 * Without Redis, or with one that is slow, it fails where it has to ask.
 */
export class RateLimitStore {
  readonly #redis: Redis & Teller
  readonly #prefix: string
  readonly #onFault: (err: unknown) => void
  /** In the order in which they began, and so in that of their ends. */
  readonly #windows = new Map<string, Window>()
  readonly #timer: NodeJS.Timeout

  constructor (redis: Redis, { prefix, onFault }: { prefix: string, onFault: (err: unknown) => void }) {
    redis.defineCommand('tell', { numberOfKeys: 1, lua: TELL })
    this.#redis = redis as Redis & Teller
    this.#prefix = prefix
    this.#onFault = onFault
    this.#timer = setInterval(() => this.#tellAll(), TELL_MS).unref()
  }

  /** The method by which @fastify/rate-limit counts a request. */
  incr (userId: string, callback: Callback, windowMs: number, max: number): void {
    this.#count(userId, { requests: 1, windowMs, max }, callback)
  }

  /** Counts several requests at once. */
  async add (userId: string, requests: number, { windowMs, max }: { windowMs: number, max: number }): Promise<Counted> {
    const count = promisify((callback: Callback) => this.#count(userId, { requests, windowMs, max }, callback))
    return await count() as Counted
  }

  #count (userId: string, { requests, windowMs, max }: { requests: number, windowMs: number, max: number }, callback: Callback): void {
    const window = this.#windowOf(userId, windowMs)
    window.untold += requests
    const share = Math.min(MAX_UNTOLD, Math.floor(max * UNTOLD_SHARE))
    const current = window.told + window.untold
    const isNear = share === 0 || window.endsAt === 0 || current >= max - share
    if (isNear) {
      callbackify(() => this.#tell(userId, window))(callback)
      return
    }
    if (window.untold >= share) this.#tell(userId, window).catch(this.#onFault)
    callback(null, { current, ttl: window.endsAt - Date.now() })
  }

  /** One for all routes. */
  child (): this {
    return this
  }

  close (): void {
    clearInterval(this.#timer)
  }

  #windowOf (userId: string, lengthMs: number): Window {
    const known = this.#windows.get(userId)
    if (known && (known.endsAt === 0 || known.endsAt > Date.now())) return known
    this.#windows.delete(userId) // a new one goes to the end
    const window = { told: 0, untold: 0, endsAt: 0, lengthMs }
    this.#windows.set(userId, window)
    if (this.#windows.size > MAX_USERS) this.#forgetOldest()
    return window
  }

  /** Gives how many requests Redis has counted, these included. What it does not answer to goes uncounted: told again it might count twice. */
  async #tell (userId: string, window: Window): Promise<Counted> {
    const { untold, lengthMs } = window
    window.untold = 0
    window.told += untold
    try {
      const [current, ttl] = await this.#redis.tell(this.#prefix + userId, untold, lengthMs)
      window.told = Math.max(current, window.told) // others of ours may be on their way
      window.endsAt = Date.now() + ttl
      return { current, ttl }
    } catch (err) {
      window.told -= untold
      throw err
    }
  }

  #tellAll (): void {
    const now = Date.now()
    for (const [userId, window] of this.#windows) {
      if (window.endsAt <= now) this.#windows.delete(userId)
      else if (window.untold > 0) this.#tell(userId, window).catch(this.#onFault)
    }
  }

  #forgetOldest (): void {
    const [oldest] = this.#windows
    if (!oldest) return
    this.#windows.delete(oldest[0])
    if (oldest[1].untold > 0) this.#tell(...oldest).catch(this.#onFault)
  }
}
