import { Cluster, Redis, type RedisOptions as AllRedisOptions } from 'ioredis'
import { replaceSilent } from './replace-silent.ts'
import { redisTarget, type RedisTarget } from './target.ts'

/** A command without a reply by then fails: a Redis that hangs must not block a service. */
const REDIS_COMMAND_TIMEOUT_MS = 2000
const CONNECT_TIMEOUT_MS = 5000

export type RedisOptions = AllRedisOptions

/**
 * A connection with the defaults of the services: fails fast, reconnects forever within 2 s, leaves a demoted primary
 * and a server that does not reply any more.
 */
export function createRedis (url: string, options: RedisOptions = {}): Redis {
  const target = redisTarget(url)
  const all: RedisOptions = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: REDIS_COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: retryMs,
    // After a failover the old primary answers READONLY: reconnect and send again.
    reconnectOnError: err => err.message.startsWith('READONLY') ? 2 : false,
    ...options
  }
  const redis = target.kind === 'cluster' ? openCluster(target, all) : new Redis({ ...addressOf(target), ...all })
  replaceSilent(redis)
  return redis
}

const retryMs = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2000)

function addressOf ({ kind, nodes, path, login, sentinelLogin, master, db, family, tls }: RedisTarget): RedisOptions {
  const shared = { ...login, db, ...(family !== undefined && { family }), ...(tls && { tls }) }
  if (path !== undefined) return { ...shared, path }
  if (kind === 'single') return { ...shared, ...nodes[0] }
  return {
    ...shared,
    sentinels: nodes,
    name: master,
    sentinelRetryStrategy: retryMs,
    ...(sentinelLogin.username && { sentinelUsername: sentinelLogin.username }),
    ...(sentinelLogin.password && { sentinelPassword: sentinelLogin.password }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls })
  }
}

/**
 * A Cluster that the rest of the code uses as a Redis: all keys share a hash tag, and so do those of a queue, so each
 * command concerns one slot.
 */
function openCluster (target: RedisTarget, options: RedisOptions): Redis {
  const { retryStrategy, enableOfflineQueue, enableAutoPipelining, lazyConnect, ...perNode } = options
  const cluster = new Cluster(target.nodes, {
    clusterRetryStrategy: retryStrategy as () => number,
    ...(enableOfflineQueue !== undefined && { enableOfflineQueue }),
    ...(enableAutoPipelining !== undefined && { enableAutoPipelining }),
    ...(lazyConnect !== undefined && { lazyConnect }),
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    shardedSubscribers: true,
    // Certificates name hosts, not the addresses that these resolve to.
    ...(target.tls && { dnsLookup: (address, found) => found(null, address) }),
    redisOptions: {
      ...target.login,
      ...(target.family !== undefined &&
      { family: target.family }),
      ...(target.tls && { tls: target.tls }),
      ...perNode,
      reconnectOnError: null
    }
  })
  return Object.assign(cluster as unknown as Redis, {
    duplicate: (overrides: RedisOptions = {}) => openCluster(target, { ...options, ...overrides })
  })
}
