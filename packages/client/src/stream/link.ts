import type { TidingsError } from '../errors.ts'
import type { Frame } from './frames.ts'

/** How a connection ended. */
export interface LinkEnd {
  /** For people: in `status.reason`. */
  reason: string
  /** The token was refused, or has expired. */
  isUnauthorized?: boolean
  /** The server wants to be left alone for so long. */
  retryMs?: number | undefined
  /** Nothing is gained by coming back. */
  error?: TidingsError
}

export interface LinkOptions {
  token: string
  /** Where to resume. */
  cursor: string | undefined
  /** Ends the connection. */
  signal: AbortSignal
  onFrame: (frame: Frame) => void
}

/** One connection over one channel. */
export interface Link {
  ended: Promise<LinkEnd>
  /** Sends a command, where the channel can. */
  send?: (command: { event: string, data: unknown, id: string }) => void
  /** Looks whether the connection is alive, where the channel can. */
  probe?: () => void
}
