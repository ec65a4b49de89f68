import { stateOf } from '../db/state-code.ts'
import type { Found, Successor } from './bullmq-state.ts'
import type { OpenRow } from './open-rows.ts'

/** What becomes of jobs that had started when Redis lost them. */
export type LostJobs = 'fail' | 'rerun'

export type Verdict =
  | { verdict: 'agrees' }
  /** BullMQ gets the job again. */
  | { verdict: 'add' }
  /** Told as if BullMQ had written this event. */
  | { verdict: 'tell', event: string, fields: Record<string, string>, at?: number }

const AGREES: Verdict = { verdict: 'agrees' }

/** Compares an open job with what BullMQ has of it. Judges only: nothing is asked, nothing is done. */
export function judge (row: OpenRow, found: Found, lostJobs: LostJobs): Verdict {
  if (found.state === 'missing') return judgeMissing(row, lostJobs, found.successor)
  const at = found.finishedOn === null ? {} : { at: found.finishedOn }
  switch (found.state) {
    case stateOf(row.state): return AGREES
    case 'completed': return { verdict: 'tell', event: 'completed', fields: { returnvalue: found.returnvalue ?? 'null' }, ...at }
    case 'failed': return { verdict: 'tell', event: 'failed', fields: { failedReason: found.failedReason ?? '' }, ...at }
    default: return { verdict: 'tell', event: found.state, fields: {} }
  }
}

/** A job of which BullMQ knows nothing, and told nothing of why. */
export function judgeMissing (row: OpenRow, lostJobs: LostJobs, successor?: Successor): Verdict {
  if (row.is_cancelled) return fails('Cancelled by user')
  if (successor) return { verdict: 'tell', event: 'replaced', fields: successor.id === undefined ? {} : { by: successor.id } }
  if (!row.ours) return fails('Removed from the queue')
  const hasStarted = row.attempts_made > 0
  return row.data !== null && (!hasStarted || lostJobs === 'rerun') ? { verdict: 'add' } : fails('Lost by the queue')
}

function fails (failedReason: string): Verdict {
  return { verdict: 'tell', event: 'failed', fields: { failedReason } }
}
