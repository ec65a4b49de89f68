import type { Redis } from 'ioredis'
import { startRedis, startRedisCluster, startRedisSentinel, type TestContext, type TestRedis } from '@tidings/testing'
import { redisClient } from './redis-client.ts'

/** The forms of Redis that a system can have. */
export const REDIS_KINDS = ['single', 'sentinel', 'cluster'] as const
export type RedisKind = typeof REDIS_KINDS[number]

/** Rewrites of the append-only file would move the place at which its tail is cut. */
const SETTINGS = { 'auto-aof-rewrite-percentage': '0' }

export interface ChaosRedis {
  kind: RedisKind
  /** As the services take it. */
  url: string
  /** BullMQ's prefix; in a Cluster a hash tag. */
  prefix: string
  /** A client that waits for Redis, gone with the test. */
  connect: () => Redis
  /** The only server, where there is one. */
  server?: TestRedis
  sentinel?: Awaited<ReturnType<typeof startRedisSentinel>>
  cluster?: Awaited<ReturnType<typeof startRedisCluster>>
}

/** Starts Redis: one server, a primary and a replica with Sentinel, or a Cluster of three primaries with replicas. */
export async function startChaosRedis (t: TestContext, kind: RedisKind): Promise<ChaosRedis> {
  const prefix = kind === 'cluster' ? '{bull}' : 'bull'
  const { url, ...servers } = await start()
  return {
    kind,
    url,
    prefix,
    connect: () => {
      const client = redisClient(url)
      t.teardown(() => client.disconnect())
      return client
    },
    ...servers
  }

  async function start (): Promise<Pick<ChaosRedis, 'url' | 'server' | 'sentinel' | 'cluster'>> {
    switch (kind) {
      case 'single': {
        const server = await startRedis(t, { appendonly: true, settings: SETTINGS })
        return { url: server.url, server }
      }
      case 'sentinel': {
        const sentinel = await startRedisSentinel(t)
        return { url: sentinel.url, sentinel }
      }
      case 'cluster': {
        const cluster = await startRedisCluster(t, { replicas: true })
        return { url: cluster.url, cluster }
      }
      default: return kind satisfies never
    }
  }
}
