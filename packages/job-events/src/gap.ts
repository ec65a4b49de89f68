import { compareEventIds, isNewer, justBelow, ZERO, type EventId } from './event-id.ts'

/** Events between `position` and `resumeAt` can be had no more: trimmed, or Redis began a new life. */
export type Gap = { position: EventId, resumeAt: EventId, reason: 'trimmed' | 'epoch' }

type Marks = {
  /** The epoch that the reader knows, and the one that it has just seen. */
  epoch: EventId | undefined
  seen: EventId | undefined
  lowWater: EventId | undefined
  /** The first entry that still stands. */
  oldest: () => Promise<EventId | undefined>
}

/** What a reader at `from` has missed for good, if anything. */
export async function findGap (from: EventId, { epoch, seen, lowWater, oldest }: Marks): Promise<Gap | undefined> {
  if (compareEventIds(from, ZERO) === 0) return undefined // never read before: nothing to miss
  if (seen && (isNewer(seen, from) || (epoch && compareEventIds(seen, epoch) !== 0))) {
    return { position: from, resumeAt: seen, reason: 'epoch' }
  }
  if (!lowWater || !isNewer(lowWater, from)) return undefined
  // Redis trims whole nodes, so entries below the mark may still stand: only the first one tells.
  const first = await oldest()
  if (!first) return { position: from, resumeAt: lowWater, reason: 'trimmed' }
  // Where one resumes nothing can lie between, though the mark is above: else one would be overtaken there for ever.
  const resumeAt = justBelow(first)
  return isNewer(resumeAt, from) ? { position: from, resumeAt, reason: 'trimmed' } : undefined
}
