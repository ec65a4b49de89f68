import type { JobEvent } from '@tidings/contracts'
import { eventIdOf, ZERO } from '@tidings/job-events'
import { pgColumns } from '@tidings/service-kit'

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
  const { numbers, texts } = pgColumns(identities)
  return { queue: texts('queue'), id: texts('id'), generationMs: numbers('generationMs'), generationSeq: numbers('generationSeq') }
}
