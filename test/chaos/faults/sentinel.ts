import { given, type Fault } from './fault.ts'

/** Replication is asynchronous: the primary's last writes may be lost. */
const AFTER_LOSS = { losesRedisData: true, isAlone: true, needs: 'sentinel' } as const

export const sentinelFaults: Fault[] = [
  {
    name: 'sentinel-failover',
    what: 'a fail-over that Sentinel is asked for',
    holdMs: [0, 2000],
    recovery: { since: 'start', withinMs: 15_000 },
    ...AFTER_LOSS,
    inject: async ({ system }) => {
      const sentinel = given(system.redis.sentinel)
      await sentinel.failOver()
      return sentinel.replicated
    }
  },
  {
    name: 'sentinel-kill',
    what: 'SIGKILL of the primary, which Sentinel notices after 2 s; it comes back as a replica',
    holdMs: [6000, 10_000],
    recovery: { since: 'start', withinMs: 20_000 },
    ...AFTER_LOSS,
    inject: async ({ system }) => {
      const sentinel = given(system.redis.sentinel)
      const primary = await sentinel.current()
      await primary.kill()
      return async () => {
        await primary.restart()
        await sentinel.replicated()
      }
    }
  },
  {
    name: 'sentinel-freeze',
    what: 'SIGSTOP of the primary until Sentinel has promoted the replica, and SIGCONT: two primaries for a moment',
    holdMs: [6000, 10_000],
    recovery: { since: 'end', withinMs: 20_000 }, // BullMQ's workers wait for the frozen one
    ...AFTER_LOSS,
    inject: async ({ system }) => {
      const sentinel = given(system.redis.sentinel)
      const primary = await sentinel.current()
      primary.pause()
      return async () => {
        primary.resume()
        await sentinel.replicated()
      }
    }
  }
]
