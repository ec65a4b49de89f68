import type { JobEvent } from '@tidings/contracts'
import { eventIdOf, ZERO } from '@tidings/job-events'
import { pgColumns } from '@tidings/service-kit'

/** Identifies a job by (queue, id, generation). */
export type JobIdentity = { queue: string, id: string, generationMs: number, generationSeq: number }

type IdentityFields = Pick<JobEvent, 'queue' | 'jobId' | 'generation'>

export function identityOf ({ queue, jobId, generation }: IdentityFields): JobIdentity {
  const { ms, seq } = generation === undefined ? ZERO : eventIdOf(generation)
  return { queue, id: jobId, generationMs: ms, generationSeq: seq }
}

/** The identity as one text. */
export function identityKey ({ queue, id, generationMs, generationSeq }: JobIdentity): string {
  return `${queue}\n${id}\n${generationMs}-${generationSeq}`
}

/** Identities as columns for unnest. */
export function identityColumns (identities: JobIdentity[]) {
  const { numbers, texts } = pgColumns(identities)
  const [generationMs, generationSeq] = [numbers('generationMs'), numbers('generationSeq')]
  return { queue: texts('queue'), id: texts('id'), generationMs, generationSeq }
}
