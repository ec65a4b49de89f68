import { LRUCache } from 'lru-cache'
import { Pool, type Client } from 'undici'
import { Connection } from './connection.ts'
import type { OriginMemory, SocketOptions } from './open-socket.ts'

/** Idle pools are cheap, but users choose the host names: the pool that was unused for longest is removed first. */
const MAX_ORIGINS = 1000
const MAX_HEADER_BYTES = 16 * 1024
/**
 * Without a hint of the server: shorter than the 5 s after which Node, Apache and others close idle connections. Of a
 * hint (`Keep-Alive: timeout=…`), undici leaves two seconds unused.
 */
const KEEP_ALIVE_MS = 4000
const KEEP_ALIVE_MAX_MS = 60_000
/** Webhooks of one user can't take more of a receiver than so many connections, nor all users together. */
type PoolsOptions = SocketOptions & { connections: number }

type Origin = { pool: Pool, memory: OriginMemory }

/** Pools of kept-alive connections, one per origin. */
export function createPools ({ connections, ...sockets }: PoolsOptions) {
  const origins = new LRUCache<string, Origin>({
    max: MAX_ORIGINS,
    dispose: ({ pool }, _origin, reason) => { if (reason === 'evict' || reason === 'delete') pool.close(() => {}) }
  })
  /** Connections outside of pools, until their one request has ended. */
  const single = new Set<Connection>()

  function originOf (url: string): Origin {
    const known = origins.get(url)
    if (known) return known
    const memory: OriginMemory = {}
    const factory = (origin: URL, options: object) => new Connection(origin, options as Client.Options, sockets, memory)
    const created = { memory, pool: new Pool(url, { ...HTTP, connections, factory }) }
    origins.set(url, created)
    return created
  }

  return {
    poolOf: (url: string): Pool => originOf(url).pool,
    /**
     * A connection that is certainly new, for one request; it closes once that request has ended.
     */
    fresh (url: string): Connection {
      const connection = new Connection(url, HTTP, sockets, originOf(url).memory)
      single.add(connection)
      connection.once('disconnect', () => single.delete(connection))
      connection.once('connectionError', () => single.delete(connection))
      return connection
    },
    /** Uses no open connection for further requests: their other ends may be gone. */
    renew (url: string): void {
      origins.delete(url)
    },
    /** Ends all connections, at once. */
    close: async (): Promise<void> => {
      await Promise.all(
        [...[...origins.values()].map(({ pool }) => pool), ...single].map(dispatcher => dispatcher.destroy())
      )
      single.clear()
      origins.clear()
    }
  }
}

const HTTP = {
  allowH2: false,
  // An exchange has its own deadline.
  headersTimeout: 0,
  bodyTimeout: 0,
  maxHeaderSize: MAX_HEADER_BYTES,
  keepAliveTimeout: KEEP_ALIVE_MS,
  keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS
}
