import type { Fault } from './fault.ts'

/** Long enough for clients to notice, and short enough for many rounds. */
const HOLD_MS: [number, number] = [2000, 5000]

export const redisFaults: Fault[] = [
  {
    name: 'redis-freeze',
    what: 'SIGSTOP and SIGCONT of Redis',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    inject: ({ system: { redis } }) => {
      redis.pause()
      return redis.resume
    }
  },
  {
    name: 'redis-kill',
    what: 'SIGKILL of Redis, which starts again from its append-only file',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system: { redis } }) => {
      await redis.kill()
      return redis.restart
    }
  },
  {
    name: 'redis-client-kill',
    what: 'CLIENT KILL of all connections to Redis',
    holdMs: [0, 0],
    recovery: { since: 'end', withinMs: 5000 },
    inject: async ({ system: { admin } }) => {
      for (const type of ['normal', 'pubsub']) await admin.redis.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
      return () => {}
    }
  },
  {
    name: 'redis-client-pause',
    what: 'CLIENT PAUSE of Redis',
    holdMs: [0, 0],
    recovery: { since: 'start', withinMs: 10_000 },
    inject: async ({ system: { admin }, random }) => {
      await admin.redis.call('CLIENT', 'PAUSE', String(random.between(...HOLD_MS)), 'ALL')
      return () => {}
    }
  },
  {
    name: 'redis-full',
    what: 'Redis at its maxmemory, which refuses writes (OOM)',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system: { admin } }) => {
      await admin.redis.config('SET', 'maxmemory', '1mb')
      return async () => { await admin.redis.config('SET', 'maxmemory', '0') }
    }
  },
  {
    name: 'redis-read-only',
    what: 'Redis without enough replicas, which refuses writes (NOREPLICAS)',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system: { admin } }) => {
      await admin.redis.config('SET', 'min-replicas-to-write', '1')
      return async () => { await admin.redis.config('SET', 'min-replicas-to-write', '0') }
    }
  }
]
