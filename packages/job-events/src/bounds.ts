const HOUR_MS = 3_600_000

/** What the stream keeps. Each may be given by a service's configuration. */
export type StreamBounds = {
  /** Age of the oldest event in the stream, milliseconds. */
  retentionMs: number
  /** Size of the stream in Redis' memory, bytes. */
  maxBytes: number
  /** Events in a user's history; trimmed by whole nodes, so up to about 100 more. */
  historyLength: number
  /** How long a silent user's history stays, milliseconds. */
  historyTtlMs: number
  /** How long a finished job's mark stands, by which late progress is dropped, milliseconds. */
  finalityTtlMs: number
}

export const DEFAULT_BOUNDS: StreamBounds = {
  retentionMs: 24 * HOUR_MS,
  maxBytes: 512 * 1024 * 1024,
  historyLength: 1000,
  historyTtlMs: 24 * HOUR_MS,
  // A worker that still tells progress this long after its job ended is a fault of its own;
  // at 1,000 jobs a second the marks of an hour would take 360 MB.
  finalityTtlMs: 15 * 60_000
}

/** What a follower takes at a time, and reads ahead once more while it is behind. */
export const BATCH_COUNT = 500
export const BATCH_BYTES = 1024 * 1024
