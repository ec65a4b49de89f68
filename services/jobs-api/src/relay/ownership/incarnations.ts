import type { BullmqEvent } from '../source/bullmq-event.ts'
import type { Owner, UNOWNED } from './owner.ts'

/** One incarnation of a job id within a batch: from its `added` (or the start of the batch) to the next `added`. */
export type Incarnation = {
  jobId: string
  /** Its first entry in the batch. */
  first: BullmqEvent
  /** Whether it starts in this batch, with an `added`. */
  isNew: boolean
  /** Another incarnation of the same id follows in the batch: BullMQ's current hash is not this one's. */
  isSucceeded: boolean
  /** Undefined until it is resolved. */
  owner: Owner | typeof UNOWNED | undefined
}

/** Splits a batch into incarnations; `of` returns the incarnation of an entry. */
export function splitIncarnations (entries: BullmqEvent[]) {
  const latest = new Map<string, Incarnation>()
  const incarnations: Incarnation[] = []
  const byEntry = new Map<BullmqEvent, Incarnation>()
  for (const entry of entries) {
    const isNew = entry.event === 'added'
    let current = latest.get(entry.jobId)
    if (!current || isNew) {
      if (current) current.isSucceeded = true
      current = { jobId: entry.jobId, first: entry, isNew, isSucceeded: false, owner: undefined }
      latest.set(entry.jobId, current)
      incarnations.push(current)
    }
    byEntry.set(entry, current)
  }
  return { incarnations, of: (entry: BullmqEvent) => byEntry.get(entry) as Incarnation }
}
