const HOUR_MS = 3_600_000

/** How much the stream keeps. A service's configuration may set each. */
export type StreamBounds = {
  /** Age of the oldest event in the stream, milliseconds. */
  retentionMs: number
  /** Size of the stream in Redis' memory, bytes. */
  maxBytes: number
  /** Events in a user's history; trimmed by whole nodes, so up to about 100 more. */
  historyLength: number
  /** Time to live of a user's history after its last event, milliseconds. */
  historyTtlMs: number
  /** Time to live of the mark of a finished job, by which late progress is dropped, milliseconds. */
  finalityTtlMs: number
}

export const DEFAULT_BOUNDS: StreamBounds = {
  retentionMs: 24 * HOUR_MS,
  maxBytes: 512 * 1024 * 1024,
  historyLength: 1000,
  historyTtlMs: 24 * HOUR_MS,
  // A worker that reports progress this long after the end of its job has a fault of its own;
  // at 1,000 jobs a second the marks of an hour would take 360 MB.
  finalityTtlMs: 15 * 60_000
}

/** The size of a consumer's batch; while it is behind, it reads one such batch ahead. */
export const BATCH_COUNT = 500
export const BATCH_BYTES = 1024 * 1024
