/** A removed job, all incarnations of a job id, or all jobs of a slot: to be compared with BullMQ soon. */
export type ReconcileTarget = { jobId: string, removed?: Removal } | { slot: string }
/** Which incarnation of the job BullMQ removed, and when. */
type Removal = { generation: string, ms: number }

/**
 * The longest time a producer may take between the removal of a job and the add of its successor: two slow round trips.
 */
const GRACE_MS = 2000
/** Beyond this many, targets are not listed one by one: all open jobs of the queue are compared. */
const MAX_TARGETS = 10_000

export type ReconcileRequests = ReturnType<typeof createReconcileRequests>

/**
 * Jobs of other producers that may be missing from BullMQ. Kept in memory: requests that are lost with the process are
 * covered by the comparison of silent jobs.
 */
export function createReconcileRequests ({ graceMs = GRACE_MS, max = MAX_TARGETS, now = Date.now } = {}) {
  const ready = new Map<string, ReconcileTarget>()
  /** Removed jobs, ordered by the time from which it is certain whether a successor was added. */
  const removed = new Map<string, { target: ReconcileTarget, at: number }>()
  let isFull = false

  function request (target: ReconcileTarget) {
    if (ready.size >= max) isFull = true
    else ready.set(JSON.stringify(target), target)
  }

  function requestAfterRemoval (jobId: string, removal: Removal) {
    const key = keyOf(jobId, removal.generation)
    if (removed.size >= max) isFull = true
    else if (!removed.has(key)) removed.set(key, { target: { jobId, removed: removal }, at: now() + graceMs })
  }

  /** Whether it is too early to compare this job. */
  function isPending (jobId: string, generation: string): boolean {
    return removed.has(keyOf(jobId, generation))
  }

  /** Takes the targets that can be compared now; `isFull` if there were more than the list holds. */
  function take (): { targets: ReconcileTarget[], isFull: boolean } {
    const taken = { targets: [...ready.values()], isFull }
    ready.clear()
    isFull = false
    for (const [key, { target, at }] of removed) {
      if (at > now()) break
      removed.delete(key)
      taken.targets.push(target)
    }
    return taken
  }

  return { request, requestAfterRemoval, isPending, take }
}

function keyOf (jobId: string, generation: string): string {
  return `${generation} ${jobId}`
}
