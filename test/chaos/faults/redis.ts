import { given, type Fault } from './fault.ts'

/** Long enough for clients to notice, and short enough for many rounds. */
const HOLD_MS: [number, number] = [2000, 5000]

export const redisFaults: Fault[] = [
  {
    name: 'redis-freeze',
    what: 'SIGSTOP and SIGCONT of Redis',
    holdMs: HOLD_MS,
    takesAway: 'server',
    recovery: { since: 'end', withinMs: 10_000 },
    needs: 'single',
    inject: ({ system }) => {
      const server = given(system.redis.server)
      server.pause()
      return server.resume
    }
  },
  {
    name: 'redis-kill',
    what: 'SIGKILL of Redis, which starts again from its append-only file',
    holdMs: HOLD_MS,
    takesAway: 'server',
    recovery: { since: 'end', withinMs: 10_000 },
    needs: 'single',
    inject: async ({ system }) => {
      const server = given(system.redis.server)
      await server.kill()
      return server.restart
    }
  },
  {
    name: 'redis-client-kill',
    what: 'CLIENT KILL of all connections to Redis',
    holdMs: [0, 0],
    recovery: { since: 'end', withinMs: 5000 },
    needs: 'single',
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
    needs: 'single',
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
    needs: 'single',
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
    needs: 'single',
    inject: async ({ system: { admin } }) => {
      await admin.redis.config('SET', 'min-replicas-to-write', '1')
      return async () => { await admin.redis.config('SET', 'min-replicas-to-write', '0') }
    }
  },
  {
    name: 'redis-tail-cut',
    what: 'Redis loses the last second or two of its append-only file, which ends in the middle of a command',
    holdMs: [1000, 2000],
    recovery: { since: 'end', withinMs: 15_000 },
    losesRedisData: true,
    isAlone: true,
    needs: 'single',
    inject: ({ system, random }) => {
      const tail = given(system.redis.server).noteTail()
      return async () => await tail.lose(random.between(1, 40))
    }
  },
  {
    name: 'redis-flushall',
    what: 'FLUSHALL of Redis',
    holdMs: [0, 0],
    recovery: { since: 'end', withinMs: 15_000 },
    losesRedisData: true,
    isAlone: true,
    needs: 'single',
    inject: async ({ system: { admin } }) => {
      await admin.redis.flushall()
      return () => {}
    }
  },
  {
    name: 'redis-demoted',
    what: 'Redis as a replica of a primary that is away (READONLY), as after a failover that nobody followed',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    needs: 'single',
    inject: async ({ system: { admin } }) => {
      // A port that nothing listens on: it keeps its data, and tries in vain to replace it.
      await admin.redis.replicaof('127.0.0.1', 1)
      return async () => { await admin.redis.replicaof('NO', 'ONE') }
    }
  }
]
