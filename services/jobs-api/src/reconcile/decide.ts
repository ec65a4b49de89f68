import { stateOf } from '../db/state-code.ts'
import type { BullmqEvent } from '../relay/source/bullmq-event.ts'
import type { BullmqState, Successor } from './bullmq-state.ts'
import type { OpenRow } from './open-rows.ts'

/** What to do with jobs that had started when Redis lost them. */
export type LostJobs = 'fail' | 'rerun'

export type Decision =
  | { action: 'none' }
  /** Add the job to BullMQ again. */
  | { action: 'reenqueue' }
  /** Publish an event as if BullMQ had written it. */
  | { action: 'publish', event: BullmqEvent['event'], fields: BullmqEvent['fields'], at?: number }

const NONE: Decision = { action: 'none' }

/** Compares an open row with BullMQ's state of the job. Pure: it reads and changes nothing. */
export function decide (row: OpenRow, bullmq: BullmqState, lostJobs: LostJobs): Decision {
  if (bullmq.state === 'missing') return decideMissing(row, lostJobs, bullmq.successor)
  const { state, returnvalue, failedReason, finishedOn } = bullmq
  const at = finishedOn ?? undefined
  if (state === stateOf(row.state)) return NONE
  switch (state) {
    case 'completed': return publish('completed', { returnvalue: returnvalue ?? 'null' }, at)
    case 'failed': return publish('failed', { failedReason: failedReason ?? '' }, at)
    case 'waiting':
    case 'active':
    case 'delayed': return publish(state)
    default: return state satisfies never
  }
}

/** Decides about a job that BullMQ does not have, and about which it wrote no event. */
export function decideMissing (row: OpenRow, lostJobs: LostJobs, successor?: Successor): Decision {
  if (row.is_cancelled) return fail('Cancelled by user')
  if (successor) return publish('replaced', successor.id === undefined ? {} : { by: successor.id })
  if (!row.submitted_here) return fail('Removed from the queue')
  const hasStarted = row.attempts_made > 0
  const canRun = row.data !== null && (!hasStarted || lostJobs === 'rerun')
  return canRun ? { action: 'reenqueue' } : fail('Lost by the queue')
}

function fail (failedReason: string): Decision {
  return publish('failed', { failedReason })
}

function publish (event: BullmqEvent['event'], fields: BullmqEvent['fields'] = {}, at?: number): Decision {
  return { action: 'publish', event, fields, ...(at !== undefined && { at }) }
}
