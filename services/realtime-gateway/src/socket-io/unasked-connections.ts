import type { Socket as Connection } from 'engine.io'

/** Connections that may wait for their client to say who it is: of 2,000 a second each has a second for it. */
export const MAX_UNASKED = 2000

/**
 * Bounds the connections that have no session yet. A handshake of Socket.IO
 * says nothing of its client, so none can be refused for being one too many:
 * the oldest of those that have not said who they are goes instead, of the same
 * address where that has more than half of all. Whoever sends a token at once,
 * as clients do, is gone from here within a trip.
 */
export function boundUnasked ({ max = MAX_UNASKED, onEvicted }: { max?: number, onEvicted: () => void }) {
  // In the order in which they came.
  const all = new Map<Connection, string>()
  const byAddress = new Map<string, Set<Connection>>()

  function add (connection: Connection, address: string) {
    const own = byAddress.get(address) ?? new Set()
    byAddress.set(address, own)
    own.add(connection)
    all.set(connection, address)
    connection.once('close', () => settle(connection))
    if (own.size > max / 2) evict(own.values().next().value)
    else if (all.size > max) evict(all.keys().next().value)
  }

  /** It has a session, or is gone. */
  function settle (connection: Connection) {
    const address = all.get(connection)
    if (address === undefined) return
    all.delete(connection)
    const own = byAddress.get(address)
    if (own?.delete(connection) && own.size === 0) byAddress.delete(address)
  }

  function evict (connection: Connection | undefined) {
    if (!connection) return
    settle(connection)
    onEvicted()
    connection.close(true)
  }

  return { add, settle, get size () { return all.size } }
}
