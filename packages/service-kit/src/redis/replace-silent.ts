import type { Redis } from 'ioredis'
import { withTimeout } from '../async.ts'

const EVERY_MS = 5000
/** Pings in a row without a reply: one may be late while Redis forks, or runs a long script. */
const MAX_SILENT = 2
const PING_TIMEOUT_MS = 2000

class Silent extends Error {}

/**
 * Replaces a connection that gets no replies any more although nothing has closed it: a host that is gone, or a
 * firewall that has forgotten the connection. Commands fail after `commandTimeout` there, but the connection itself
 * would stay until the kernel gives up, a quarter of an hour later; one that only receives, such as a subscriber, for
 * hours. Takes up to `MAX_SILENT` × `everyMs` and a timeout. Connections that block have a watchdog of their own.
 */
export function replaceSilent (redis: Redis, everyMs = EVERY_MS, pingTimeoutMs = PING_TIMEOUT_MS): void {
  let silent = 0
  const timer = setInterval(() => {
    if (redis.status !== 'ready') return
    const pinged = withTimeout(redis.ping(), pingTimeoutMs, () => { throw new Silent() })
    pinged.then(() => { silent = 0 }, (err: Error) => {
      // A reply that is an error is a reply, and a connection that has just ended is being replaced.
      silent = err instanceof Silent || err.message === 'Command timed out' ? silent + 1 : 0
      if (silent < MAX_SILENT) return
      silent = 0
      redis.disconnect(true)
    })
  }, everyMs).unref()
  redis.once('end', () => clearInterval(timer))
}
