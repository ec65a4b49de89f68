import type { JobEvent } from '@tidings/contracts'
import { eventIdOf, ZERO } from '@tidings/job-events'

/** A job as (queue, id, generation). */
export type Identity = { queue: string, id: string, generationMs: number, generationSeq: number }

export function identityOf ({ queue, jobId, generation }: Pick<JobEvent, 'queue' | 'jobId' | 'generation'>): Identity {
  const { ms, seq } = generation === undefined ? ZERO : eventIdOf(generation)
  return { queue, id: jobId, generationMs: ms, generationSeq: seq }
}

/** One text for one job. */
export function identityKey ({ queue, id, generationMs, generationSeq }: Identity): string {
  return `${queue}\n${id}\n${generationMs}-${generationSeq}`
}

/** Columns for unnest. */
export function identityColumns (identities: Identity[]) {
  return {
    queue: identities.map(({ queue }) => queue),
    id: identities.map(({ id }) => id),
    generationMs: identities.map(({ generationMs }) => generationMs),
    generationSeq: identities.map(({ generationSeq }) => generationSeq)
  }
}
