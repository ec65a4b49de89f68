import { Type, type Static } from 'typebox'
import { EventIdText, JobId, QueueName } from './job.ts'

/** Path at which a gateway asks jobs-api for the jobs of its clients. No edge routes it. */
export const FIND_JOBS_PATH = '/internal/find-jobs'

/** Jobs of one request. */
export const MAX_FIND_JOBS = 100

/** Size of one response, not counting a first job that is larger: jobs that do not fit are requested again. */
export const MAX_FOUND_BYTES = 1024 * 1024

/** Body of `POST /internal/find-jobs`. The response reflects all events up to `after`. */
export const FindJobs = Type.Object({
  after: Type.Optional(EventIdText),
  jobs: Type.Array(Type.Object({ jobId: JobId, queue: Type.Optional(QueueName) }, { additionalProperties: false }), {
    minItems: 1, maxItems: MAX_FIND_JOBS
  })
}, { additionalProperties: false })
export type FindJobs = Static<typeof FindJobs>

/** The JSON of a job; or the text `none` where the user has no job of that id, `later` where it did not fit. */
export type FoundJobText = string

const NONE = 0
const LATER = -1

/**
 * The response: a line with the length of each job's JSON in bytes, then these texts one after the other. So they
 * travel unchanged and are not parsed on the way.
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

/** @throws TypeError where the bytes are not such a response */
export function decodeFoundJobs (response: Buffer): FoundJobText[] {
  let at = response.indexOf('\n')
  const lengths = at === -1 ? undefined : parse(response.toString('utf8', 0, at))
  if (!Array.isArray(lengths) || !lengths.every(isLength)) throw new TypeError('Not a response with jobs')
  at++
  return (lengths as number[]).map(length => {
    if (length === NONE) return 'none'
    if (length === LATER) return 'later'
    const text = response.toString('utf8', at, at += length)
    if (at > response.length) throw new TypeError('A response with jobs that is cut off')
    return text
  })
}

function isLength (value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= LATER
}

function parse (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
