import type { PublishedJobEvent } from '@tidings/contracts'
import { applyEvent, isLate, newJob, type JobFields } from './apply-event.ts'
import { carrierOf, sampleOf } from './progress-samples.ts'
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
  before: JobFields
  after: JobFields
  /** The events that changed it; late events of a finished job are not among them. */
  events: PublishedJobEvent[]
  /** Sampled progress: elements of a JSON array. */
  samples: string | null
  /** The event whose line of the timeline takes the samples; undefined: the row collects them. */
  carrier?: PublishedJobEvent | undefined
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
    apply(job, event)
  }
  for (const job of changed.values()) job.carrier = carrierOf(job, job.before)
  return [...changed.values()]
}

function apply (job: ChangedJob, event: PublishedJobEvent): void {
  const before = job.after
  job.after = applyEvent(before, event)
  if (!isLate(before, event)) job.events.push(event)
  if (job.after.progressCount === before.progressCount) return
  const sample = sampleOf(before.progressCount, event)
  if (sample !== undefined) job.samples = job.samples === null ? sample : `${job.samples},${sample}`
}

function changedJob (event: PublishedJobEvent, identity: JobIdentity, row: KnownRow | undefined): ChangedJob {
  const { userId, name, slot } = event
  const before = row ?? newJob(event)
  const { n, state: stateBefore } = row ?? {}
  return { identity, userId, name, slot, n, stateBefore, before, after: before, events: [], samples: null }
}
