import type { Socket as Connection } from 'engine.io'
import { atEndOfTurn } from '../session/turn.ts'

type Packet = { type: string, data?: string, options?: { compress?: boolean, wsPreEncodedFrame?: Buffer[] } }

/** What engine.io keeps to itself; the version is pinned and a test compares the bytes. */
type Flushing = {
  writeBuffer: Packet[]
  flush: () => void
  transport: { name: string, writable: boolean, socket?: { _socket?: { cork: () => void, uncork: () => void } } }
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
    const { writeBuffer, transport } = flushing
    const joined = transport.name === 'websocket' && transport.writable ? join(writeBuffer) : undefined
    if (joined) flushing.writeBuffer = [joined]
    if (flushing.writeBuffer.length === 1) return flush()
    const socket = transport.socket?._socket
    socket?.cork()
    flush()
    socket?.uncork()
  }
  flushing.flush = () => atEndOfTurn(flushInOneWrite)
}

/** Frames that are encoded already, one after the other in one buffer: to the client the same bytes, to Node one chunk instead of many. */
function join (packets: Packet[]): Packet | undefined {
  if (packets.length < 2) return undefined
  const frames = packets.flatMap(({ options }) => options?.wsPreEncodedFrame ?? [])
  if (frames.length < packets.length) return undefined
  return { type: 'message', options: { compress: false, wsPreEncodedFrame: [Buffer.concat(frames)] } }
}
