import type { QueueEvent } from '../source/bullmq-event.ts'
import type { NOBODY, Owner } from './owner.ts'

/** One life of a job within a batch: from its `added` (or the batch's begin) to its next one. */
export type Life = {
  jobId: string
  /** The first entry of it in the batch. */
  first: QueueEvent
  /** Begun in this batch, by an `added`. */
  isNew: boolean
  /** Another life of the same id comes after it in the batch: what BullMQ has now is not of this one. */
  isOver: boolean
  /** Undefined until it is found out. */
  owner: Owner | typeof NOBODY | undefined
}

/** Splits a batch into lives; `of` gives each entry's own. */
export function livesOf (entries: QueueEvent[]) {
  const latest = new Map<string, Life>()
  const lives: Life[] = []
  const byEntry = new Map<QueueEvent, Life>()
  for (const entry of entries) {
    const isNew = entry.event === 'added'
    let life = latest.get(entry.jobId)
    if (!life || isNew) {
      if (life) life.isOver = true
      life = { jobId: entry.jobId, first: entry, isNew, isOver: false, owner: undefined }
      latest.set(entry.jobId, life)
      lives.push(life)
    }
    byEntry.set(entry, life)
  }
  return { lives, of: (entry: QueueEvent) => byEntry.get(entry) as Life }
}
