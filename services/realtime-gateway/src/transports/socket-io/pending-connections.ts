import type { Socket as Connection } from 'engine.io'

/** Connections that may wait for their client's token: at 2,000 new ones per second each has a second for it. */
const MAX_PENDING = 2000

/**
 * Bounds the connections that have no session yet. A handshake of Socket.IO does not identify its client, so none can
 * be refused for being one too many. Instead the oldest pending connection is closed, of the same address if that has
 * more than half of all. A client that sends its token at once, as clients do, is pending for one round trip only.
 */
export function limitPendingConnections ({ max = MAX_PENDING, onEvicted }: { max?: number, onEvicted: () => void }) {
  // In order of arrival.
  const all = new Map<Connection, string>()
  const byAddress = new Map<string, Set<Connection>>()

  function add (connection: Connection, address: string) {
    const own = byAddress.get(address) ?? new Set()
    byAddress.set(address, own)
    own.add(connection)
    all.set(connection, address)
    connection.once('close', () => remove(connection))
    if (own.size > max / 2) evict(own.values().next().value)
    else if (all.size > max) evict(all.keys().next().value)
  }

  /** The connection has a session, or is closed. */
  function remove (connection: Connection) {
    const address = all.get(connection)
    if (address === undefined) return
    all.delete(connection)
    const own = byAddress.get(address)
    if (own?.delete(connection) && own.size === 0) byAddress.delete(address)
  }

  function evict (connection: Connection | undefined) {
    if (!connection) return
    remove(connection)
    onEvicted()
    connection.close(true)
  }

  return { add, remove, get size () { return all.size } }
}
