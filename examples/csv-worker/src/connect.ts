import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** Connects to Redis; retries for `waitSeconds` while it is down, then gives up with a message that says so. */
export async function connect (url: string, waitSeconds: number) {
  // BullMQ requires null: commands wait during an interruption instead of failing.
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: times => Math.min(times * 200, 2_000) })
  const where = `Redis at ${redis.options.host}:${redis.options.port}`
  reportInterruptions(redis, where)

  const deadline = new AbortController()
  try {
    const answer = await Promise.race([redis.ping(), sleep(waitSeconds * 1000, 'none', { signal: deadline.signal })])
    if (answer === 'none') throw new Error(`no answer within ${waitSeconds} s`)
    return redis
  } catch (cause) {
    redis.disconnect()
    throw new Error(`${where}: ${text(cause)}`, { cause })
  } finally {
    deadline.abort()
  }
}

/** Prints one line when Redis goes down and one when it is back, not one per attempt. */
function reportInterruptions (redis: Redis, where: string) {
  let away = false
  let reason = 'connection lost'
  redis.on('error', error => { reason = text(error) })
  redis.on('reconnecting', () => {
    if (!away) console.error(`${where} is away (${reason}); trying again`)
    away = true
  })
  redis.on('ready', () => {
    if (away) console.error(`${where} is back`)
    away = false
  })
}

function text (error: unknown) {
  const { code, message } = error as NodeJS.ErrnoException
  return message || code || String(error)
}
