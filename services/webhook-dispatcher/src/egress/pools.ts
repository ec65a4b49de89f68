import { LRUCache } from 'lru-cache'
import { Pool } from 'undici'
import { Connection, type SessionStore } from './connection.ts'
import type { SocketOptions } from './open-socket.ts'

/** Idle pools are cheap, but names of hosts are chosen by users: the pool longest unused goes first. */
const MAX_ORIGINS = 1000
const MAX_HEADER_BYTES = 16 * 1024
/** Without a hint of the server: shorter than the 5 s after which Node and many others close idle connections. */
const KEEP_ALIVE_MS = 4000
const KEEP_ALIVE_MAX_MS = 60_000

/** Webhooks of one user can't take more of a receiver than so many connections, nor all users together. */
type PoolsOptions = SocketOptions & { connections: number }

/** Pools of kept-alive connections, one an origin. */
export function createPools ({ connections, ...sockets }: PoolsOptions) {
  const pools = new LRUCache<string, Pool>({
    max: MAX_ORIGINS,
    dispose: (pool, _origin, reason) => { if (reason === 'evict') pool.close(() => {}) }
  })

  return {
    poolOf: (origin: string): Pool => {
      const pool = pools.get(origin) ?? createPool(origin, { connections, ...sockets })
      pools.set(origin, pool)
      return pool
    },
    /** Ends all connections, at once. */
    close: async (): Promise<void> => {
      await Promise.all([...pools.values()].map(pool => pool.destroy()))
      pools.clear()
    }
  }
}

function createPool (origin: string, { connections, ...sockets }: PoolsOptions): Pool {
  const sessions: SessionStore = {}
  return new Pool(origin, {
    connections,
    allowH2: false,
    // An exchange has a deadline of its own, over everything.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    factory: (url, options) => new Connection(url, options, sockets, sessions)
  })
}
