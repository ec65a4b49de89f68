import { compareEventIds, isNewer, justBelow, ZERO, type EventId } from './event-id.ts'

/** The events between `position` and `resumeAt` are lost: they were trimmed, or Redis started a new data set. */
export type Gap = { position: EventId, resumeAt: EventId, reason: 'trimmed' | 'epoch' }

type Marks = {
  /** The epoch that the reader knows, and the one that it has just read. */
  epoch: EventId | undefined
  seen: EventId | undefined
  lowWater: EventId | undefined
  /** Reads the id of the oldest entry of the stream. */
  oldest: () => Promise<EventId | undefined>
}

/** The events that a reader at `from` has missed for good, if any. */
export async function findGap (from: EventId, { epoch, seen, lowWater, oldest }: Marks): Promise<Gap | undefined> {
  if (compareEventIds(from, ZERO) === 0) return undefined // a first read misses nothing
  if (seen && (isNewer(seen, from) || (epoch && compareEventIds(seen, epoch) !== 0))) {
    return { position: from, resumeAt: seen, reason: 'epoch' }
  }
  if (!lowWater || !isNewer(lowWater, from)) return undefined
  // Redis trims whole nodes, so entries below the mark may still exist: only the oldest entry decides.
  const first = await oldest()
  if (!first) return { position: from, resumeAt: lowWater, reason: 'trimmed' }
  // `resumeAt` must count as contiguous even below the low-water mark, or the reader would find the same gap forever.
  const resumeAt = justBelow(first)
  return isNewer(resumeAt, from) ? { position: from, resumeAt, reason: 'trimmed' } : undefined
}
