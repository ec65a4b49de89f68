import { Type, type Static } from 'typebox'
import { EventIdText, JobId, QueueName } from './job.ts'

/** Where a gateway asks jobs-api for the jobs of its clients. No edge routes it. */
export const FIND_JOBS_PATH = '/internal/find-jobs'

/** Jobs of one question. */
export const MAX_FIND_JOBS = 100

/** So much of jobs one answer holds, beside the first: what is left out is asked for again. */
export const MAX_FOUND_BYTES = 1024 * 1024

/** Body of `POST /internal/find-jobs`. The answer knows all events up to `after`. */
export const FindJobs = Type.Object({
  after: Type.Optional(EventIdText),
  jobs: Type.Array(Type.Object({ jobId: JobId, queue: Type.Optional(QueueName) }, { additionalProperties: false }), { minItems: 1, maxItems: MAX_FIND_JOBS })
}, { additionalProperties: false })
export type FindJobs = Static<typeof FindJobs>

/** The JSON of a job; or the text `none` where the user has none of that id, `later` where it did not fit. */
export type FoundJobText = string

const NONE = 0
const LATER = -1

/**
 * The answer: a line with the length of each job's JSON in bytes, then those
 * texts one after the other. So they travel as they are, and nobody parses them
 * on the way.
 */
export function encodeFoundJobs (found: (string | undefined)[]): Buffer {
  let bytes = 0
  const texts = found.map(text => {
    if (text === undefined) return NONE
    const buffer = Buffer.from(text)
    if (bytes > 0 && bytes + buffer.length > MAX_FOUND_BYTES) return LATER
    bytes += buffer.length
    return buffer
  })
  const lengths = texts.map(text => typeof text === 'number' ? text : text.length)
  return Buffer.concat([Buffer.from(`${JSON.stringify(lengths)}\n`), ...texts.filter(text => typeof text !== 'number')])
}

/** @throws TypeError where it is no such answer */
export function decodeFoundJobs (answer: Buffer): FoundJobText[] {
  let at = answer.indexOf('\n')
  const lengths: unknown = at === -1 ? undefined : JSON.parse(answer.toString('utf8', 0, at))
  if (!Array.isArray(lengths) || !lengths.every(Number.isSafeInteger)) throw new TypeError('Not an answer with jobs')
  at++
  return (lengths as number[]).map(length => {
    if (length === NONE) return 'none'
    if (length === LATER) return 'later'
    const text = answer.toString('utf8', at, at += length)
    if (at > answer.length) throw new TypeError('An answer with jobs that has no end')
    return text
  })
}
