import type { Socket as Connection } from 'engine.io'
import { atEndOfTurn } from '../session/turn.ts'

/** What engine.io keeps to itself; the version is pinned and a test compares the bytes. */
type Flushing = {
  writeBuffer: unknown[]
  flush: () => void
  transport: { socket?: { _socket?: { cork: () => void, uncork: () => void } } }
}

/**
 * Lets a connection flush once a turn, in one write: writing is what telling
 * costs, and each flush of engine.io's is a write of its own. It waits for a
 * write's callback before the next, so corking its own flushes would not do.
 */
export function corkFlushes (connection: Connection): void {
  const flushing = connection as unknown as Flushing
  const flush = flushing.flush.bind(connection)
  const flushInOneWrite = () => {
    if (flushing.writeBuffer.length === 1) return flush()
    const socket = flushing.transport.socket?._socket
    socket?.cork()
    flush()
    socket?.uncork()
  }
  flushing.flush = () => atEndOfTurn(flushInOneWrite)
}
