import type { PublishedJobEvent } from '@tidings/contracts'
import { applyEvent, isLate, newJob, type JobFields } from './apply-event.ts'
import { identityKey, identityOf, type JobIdentity } from '../db/job-identity.ts'

/** A job of a batch: its row before and after, and the events that changed it. */
export type ChangedJob = {
  identity: JobIdentity
  userId: string
  name: string
  slot: string | undefined
  /** Undefined if there is no row yet. */
  n: number | undefined
  stateBefore: number | undefined
  after: JobFields
  /** The events that changed it; late events of a finished job are not among them. */
  events: PublishedJobEvent[]
}

export type KnownRow = JobIdentity & JobFields & { n: number }

/** Applies a batch to the rows, job by job. */
export function applyBatch (events: PublishedJobEvent[], rows: KnownRow[]): ChangedJob[] {
  const known = new Map(rows.map(row => [identityKey(row), row]))
  const changed = new Map<string, ChangedJob>()
  for (const event of events) {
    const identity = identityOf(event)
    const key = identityKey(identity)
    const job = changed.get(key) ?? changedJob(event, identity, known.get(key))
    changed.set(key, job)
    const after = applyEvent(job.after, event)
    if (!isLate(job.after, event)) job.events.push(event)
    job.after = after
  }
  return [...changed.values()]
}

function changedJob (event: PublishedJobEvent, identity: JobIdentity, row: KnownRow | undefined): ChangedJob {
  const { userId, name, slot } = event
  const after = row ?? newJob(event)
  return { identity, userId, name, slot, n: row?.n, stateBefore: row?.state, after, events: [] }
}
