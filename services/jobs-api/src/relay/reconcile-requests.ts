/** A job that was removed, all lives of a job, or all jobs of a slot: to be compared with BullMQ soon. */
export type Doubt = { jobId: string, removed?: Removal } | { slot: string }
/** Which life of the job it was, and when BullMQ removed it. */
export type Removal = { generation: string, ms: number }

/** What a producer may take between the removal of a job and its successor's add: two round trips, on a slow day. */
const GRACE_MS = 2000
/** More than that are not listed singly: all open jobs of the queue are compared then. */
const MAX_DOUBTS = 10_000

export type Doubts = ReturnType<typeof createDoubts>

/**
 * Jobs of other producers that may be gone from BullMQ. Kept in memory: what is
 * lost with it, the look at silent jobs finds.
 */
export function createDoubts ({ graceMs = GRACE_MS, max = MAX_DOUBTS, now = Date.now } = {}) {
  const ready = new Map<string, Doubt>()
  /** Removed jobs, in the order of the time from which it can be judged whether a successor came. */
  const removed = new Map<string, { doubt: Doubt, at: number }>()
  let isFull = false

  function note (doubt: Doubt) {
    if (ready.size >= max) isFull = true
    else ready.set(JSON.stringify(doubt), doubt)
  }

  function noteRemoval (jobId: string, removal: Removal) {
    const key = keyOf(jobId, removal.generation)
    if (removed.size >= max) isFull = true
    else if (!removed.has(key)) removed.set(key, { doubt: { jobId, removed: removal }, at: now() + graceMs })
  }

  /** Whether it is too early to judge this job. */
  function isPending (jobId: string, generation: string): boolean {
    return removed.has(keyOf(jobId, generation))
  }

  /** Those that can be judged; `isFull` where there were more than are listed. */
  function take (): { doubts: Doubt[], isFull: boolean } {
    const taken = { doubts: [...ready.values()], isFull }
    ready.clear()
    isFull = false
    for (const [key, { doubt, at }] of removed) {
      if (at > now()) break
      removed.delete(key)
      taken.doubts.push(doubt)
    }
    return taken
  }

  return { note, noteRemoval, isPending, take }
}

function keyOf (jobId: string, generation: string): string {
  return `${generation} ${jobId}`
}
