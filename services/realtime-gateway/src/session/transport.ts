import type { Frame } from './frame.ts'

export const TRANSPORT_KINDS = ['socket.io', 'websocket', 'sse'] as const
export type TransportKind = typeof TRANSPORT_KINDS[number]

/** Why a session was ended by the gateway. */
export const END_REASONS = ['expired', 'revoked', 'slow', 'draining', 'resync', 'unavailable', 'failed', 'not_found'] as const
export type EndReason = typeof END_REASONS[number]

/** After these a client comes back by itself; after the others it needs a new token first, or has nothing to come for. */
export const reconnects = (reason: EndReason) => reason !== 'expired' && reason !== 'revoked' && reason !== 'not_found'

/** A client's connection, whatever it speaks. None of these may throw. */
export interface Transport {
  readonly kind: TransportKind
  /** Sends at the end of this turn of the event loop, together with all else that is written in it. */
  write (frame: Frame): void
  /** What was written and has not left this process. */
  readonly unsentBytes: number
  readonly unsentPackets: number
  /** Closes once all that was written is sent. */
  close (reason: EndReason): void
  /** Closes now; what is unsent is lost. */
  terminate (): void
}
