import type { PublishedJobEvent } from '@tidings/contracts'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import type { ChangedJob } from './apply-batch.ts'
import type { JobFields } from './apply-event.ts'

/** Samples of a job that are read at most; so many are taken before the distance between two grows. */
export const MAX_SAMPLES = 200

/** A longer progress is sampled without its value: 200 samples of a job must stay small. In UTF-16 code units. */
export const MAX_SAMPLE_LENGTH = 512

/** Of the progress in a slot of time the first is sampled, so that a worker that reports all the time costs little. */
const SLOT_MS = 100

/** Samples that a row collects before they become a line of the timeline: an update of the row writes them again. */
const MAX_COLLECTED = 16

/**
 * The distance of samples once there were so many slots with progress: a power of 2, so that the samples at a larger
 * distance are among those at a smaller one. Samples are only added; a reader leaves out those that a larger distance
 * skips.
 */
export function strideOf (count: number): number {
  return count <= MAX_SAMPLES ? 1 : 1 << (31 - Math.clz32((count - 1) / (MAX_SAMPLES / 2)))
}

/** Whether progress is the first of its slot of time; then it is counted. */
export function beginsSlot (last: number | null, timestamp: number): boolean {
  return last === null || Math.floor(timestamp / SLOT_MS) > Math.floor(last / SLOT_MS)
}

/** A counted progress as an element of a JSON array, `[0,1640995200000,50]`; undefined where it is not sampled. */
export function sampleOf (number: number, event: PublishedJobEvent): string | undefined {
  if (number % strideOf(number + 1) !== 0) return undefined
  const { timestamp, progress, progressTruncated } = event
  const isShort = !progressTruncated && progress !== undefined && progress.length <= MAX_SAMPLE_LENGTH
  return isShort ? `[${number},${timestamp},${progress}]` : `[${number},${timestamp}]`
}

/**
 * The event whose line of the timeline takes the samples of a batch, and those that the row has collected: the end of
 * the job, or its last progress if the row would collect too many. Undefined: the row collects them.
 */
export function carrierOf ({ events, after }: Pick<ChangedJob, 'events' | 'after'>, before: JobFields) {
  if (after.state >= FIRST_FINAL_STATE) return events.findLast(({ type }) => type === 'completed' || type === 'failed')
  const full = MAX_COLLECTED * strideOf(after.progressCount)
  const isFull = Math.floor(before.progressCount / full) !== Math.floor(after.progressCount / full)
  return isFull ? events.findLast(({ type }) => type === 'progress') : undefined
}
