import { Pool } from 'undici'
import { decodeFoundJobs, FIND_JOBS_PATH, type FoundJobText } from '@tidings/contracts'
import { compareEventIds, formatEventId, ZERO, type EventId } from '@tidings/job-events'
import { readBounded } from '@tidings/service-kit'

/** For the head of a response, and between the parts of its body. */
const TIMEOUT_MS = 2000
/** For a whole response. */
const RESPONSE_TIMEOUT_MS = 10_000
export const CONNECTIONS = 32
/** Larger than any response of jobs-api: a job of 1 MiB and what fits beside it. */
const MAX_RESPONSE_BYTES = 8 * 1024 * 1024

type Log = { warn (fields: object, message: string): void }

export type JobName = { jobId: string, queue?: string | undefined }

export type FindJobsRequest = {
  /** The client's own: jobs-api decides which jobs its user may see. */
  token: string
  /** The user whom the operator with this token names; undefined for the token's own. */
  userId?: string
  /** The response contains all events up to this one. */
  after: EventId
  jobs: JobName[]
}

/** `unavailable` and `rate limited` are temporary; the others are permanent. */
export type Refusal = 'unauthorized' | 'forbidden' | 'rate limited' | 'unavailable'

export type FindJobsResult =
  | { ok: true, jobs: FoundJobText[] }
  /** `isUnreachable`: there was no response at all, so no other request would get one. */
  | { ok: false, error: Refusal, isUnreachable: boolean }

export type JobsApi = ReturnType<typeof createJobsApi>

/** A client of jobs-api that finds jobs on behalf of a user. */
export function createJobsApi ({ url, log }: { url: string, log: Log }) {
  const pool = new Pool(new URL(url).origin, {
    connections: CONNECTIONS,
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS
  })
  const path = new URL(url).pathname.replace(/\/$/, '') + FIND_JOBS_PATH

  async function find ({ token, userId, after, jobs }: FindJobsRequest): Promise<FindJobsResult> {
    const isFromStart = compareEventIds(after, ZERO) === 0
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: userId === undefined ? path : `${path}?userId=${encodeURIComponent(userId)}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...(!isFromStart && { after: formatEventId(after) }), jobs }),
        signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS)
      })
      if (statusCode === 200) return { ok: true, jobs: decodeFoundJobs(await readBounded(body, MAX_RESPONSE_BYTES)) }
      await body.dump({ limit: MAX_RESPONSE_BYTES })
      if (statusCode === 401) return refusal('unauthorized')
      if (statusCode === 403) return refusal('forbidden')
      log.warn({ statusCode }, 'jobs-api: request refused')
      return refusal(statusCode === 429 ? 'rate limited' : 'unavailable')
    } catch (err) {
      log.warn({ err }, 'jobs-api: unreachable')
      return { ok: false, error: 'unavailable', isUnreachable: true }
    }
  }

  return { find, close: () => pool.close() }
}

function refusal (error: Refusal) {
  return { ok: false as const, error, isUnreachable: false }
}
