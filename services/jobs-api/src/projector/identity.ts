import type { JobEvent } from '@tidings/contracts'
import { eventIdOf, ZERO } from '@tidings/job-events'
import { numberArray, textArray } from '@tidings/service-kit'

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
    queue: textArray(identities.map(({ queue }) => queue)),
    id: textArray(identities.map(({ id }) => id)),
    generationMs: numberArray(identities.map(({ generationMs }) => generationMs)),
    generationSeq: numberArray(identities.map(({ generationSeq }) => generationSeq))
  }
}
