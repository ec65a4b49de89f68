import type { Frame } from './frame.ts'

export const TRANSPORT_KINDS = ['socket.io', 'websocket', 'sse'] as const
export type TransportKind = typeof TRANSPORT_KINDS[number]

/** Why the gateway ended a session. */
export type EndReason =
  'expired' | 'revoked' | 'slow' | 'draining' | 'resync' | 'unavailable' | 'failed' | 'not_found'

/** Whether a client reconnects by itself. After the other reasons it needs a new token, or the job does not exist. */
export const reconnects = (reason: EndReason) => reason !== 'expired' && reason !== 'revoked' && reason !== 'not_found'

/** A client's connection, over any protocol. None of these methods may throw. */
export interface Transport {
  readonly kind: TransportKind
  /** Sends at the end of this tick of the event loop, together with all other frames of the tick. */
  write (frame: Frame): void
  /** Bytes that were written and have not left this process. */
  readonly unsentBytes: number
  readonly unsentPackets: number
  /** Closes once everything written is sent. */
  close (reason: EndReason): void
  /** Closes now and drops what is unsent. */
  terminate (): void
}
