import { callbackify, promisify } from 'node:util'
import type { Redis } from 'ioredis'
import { loadLua } from './lua.ts'

/**
 * Requests of a user that one process counts in memory before it reports them to Redis: 5 % of the limit, at most 100.
 */
const MAX_PENDING = 100
const PENDING_SHARE = 0.05
/** Pending requests are reported at least this often. */
const FLUSH_MS = 1000
/** Users with a window in memory; beyond, the oldest window is reported and dropped. */
const MAX_USERS = 20_000

/** A user's window: the requests that Redis has counted, over all replicas, and those that are not reported yet. */
type Window = { counted: number, pending: number, endsAt: number, lengthMs: number }
type Counted = { current: number, ttl: number }
type Callback = (err: Error | null, counted: Counted | null) => void

type Commands = {
  tidingsCountRequests (key: string, requests: number, windowMs: number): Promise<[count: number, ttl: number]>
}

/**
 * Counts the requests of users over all replicas, for @fastify/rate-limit. A round trip to Redis costs a third of a
 * poll, so each process counts in memory and reports several requests to Redis together; near the limit it reports each
 * one. The pending requests of the other processes are what may pass beyond the limit.
 *
 * Where it has to ask Redis and Redis is away, or slow, it fails.
 */
export class RateLimitStore {
  readonly #redis: Redis & Commands
  readonly #prefix: string
  readonly #onFault: (err: unknown) => void
  /** In the order of their start, and so of their end. */
  readonly #windows = new Map<string, Window>()
  readonly #timer: NodeJS.Timeout

  constructor (redis: Redis, { prefix, onFault }: { prefix: string, onFault: (err: unknown) => void }) {
    redis.defineCommand('tidingsCountRequests', { numberOfKeys: 1, lua: loadLua('count-requests', import.meta.url) })
    this.#redis = redis as Redis & Commands
    this.#prefix = prefix
    this.#onFault = onFault
    this.#timer = setInterval(() => this.#flushAll(), FLUSH_MS).unref()
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

  #count (
    userId: string,
    { requests, windowMs, max }: { requests: number, windowMs: number, max: number },
    callback: Callback
  ): void {
    const window = this.#windowOf(userId, windowMs)
    window.pending += requests
    const share = Math.min(MAX_PENDING, Math.floor(max * PENDING_SHARE))
    const current = window.counted + window.pending
    const isNear = share === 0 || window.endsAt === 0 || current >= max - share
    if (isNear) {
      callbackify(() => this.#flush(userId, window))(callback)
      return
    }
    if (window.pending >= share) this.#flush(userId, window).catch(this.#onFault)
    callback(null, { current, ttl: window.endsAt - Date.now() })
  }

  /** One store for all routes. */
  child (): this {
    return this
  }

  close (): void {
    clearInterval(this.#timer)
  }

  #windowOf (userId: string, lengthMs: number): Window {
    const known = this.#windows.get(userId)
    if (known && (known.endsAt === 0 || known.endsAt > Date.now())) return known
    this.#windows.delete(userId) // the new one goes to the end
    const window = { counted: 0, pending: 0, endsAt: 0, lengthMs }
    this.#windows.set(userId, window)
    if (this.#windows.size > MAX_USERS) this.#dropOldest()
    return window
  }

  /**
   * Reports the pending requests and returns the count of Redis, which includes them. Requests of a failed report stay
   * uncounted: reported again, they might count twice.
   */
  async #flush (userId: string, window: Window): Promise<Counted> {
    const { pending, lengthMs } = window
    window.pending = 0
    window.counted += pending
    try {
      const [current, ttl] = await this.#redis.tidingsCountRequests(this.#prefix + userId, pending, lengthMs)
      window.counted = Math.max(current, window.counted) // further reports of this process may be on their way
      window.endsAt = Date.now() + ttl
      return { current, ttl }
    } catch (err) {
      window.counted -= pending
      throw err
    }
  }

  #flushAll (): void {
    const now = Date.now()
    for (const [userId, window] of this.#windows) {
      if (window.endsAt <= now) this.#windows.delete(userId)
      else if (window.pending > 0) this.#flush(userId, window).catch(this.#onFault)
    }
  }

  #dropOldest (): void {
    const [oldest] = this.#windows
    if (!oldest) return
    this.#windows.delete(oldest[0])
    if (oldest[1].pending > 0) this.#flush(...oldest).catch(this.#onFault)
  }
}
