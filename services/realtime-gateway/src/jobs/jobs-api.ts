import { Pool } from 'undici'
import type { Job } from '@tidings/contracts'
import { compareEventIds, formatEventId, ZERO, type EventId } from '@tidings/job-events'

/** For jobs-api to answer once it is asked. */
const TIMEOUT_MS = 2000
/** For a client, whose question may first wait for a connection: one that comes back asks for all of its jobs at once. */
const PATIENCE_MS = 10_000
const CONNECTIONS = 32
/** A result is at most 1 MiB; the rest of a job is small. */
const MAX_BODY_BYTES = 2 * 1024 * 1024

type Log = { warn (fields: object, message: string): void }

export type FoundJob = { ok: true, job: Job } | { ok: false, error: 'not found' | 'unauthorized' | 'unavailable' }

type Question = {
  jobId: string
  queue?: string | undefined
  /** The client's own: jobs-api decides what its user may see. */
  token: string
  /** The answer knows all events up to here. */
  after: EventId
}

export type JobsApi = ReturnType<typeof createJobsApi>

/** Asks jobs-api for a job in the name of a client. */
export function createJobsApi ({ url, log }: { url: string, log: Log }) {
  const pool = new Pool(new URL(url).origin, { connections: CONNECTIONS, connect: { timeout: TIMEOUT_MS }, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS })
  const base = new URL(url).pathname.replace(/\/$/, '')

  async function find ({ jobId, queue, token, after }: Question): Promise<FoundJob> {
    const query = new URLSearchParams({
      ...(queue !== undefined && { queue }),
      ...(compareEventIds(after, ZERO) !== 0 && { after: formatEventId(after) })
    })
    try {
      const { statusCode, body } = await pool.request({
        method: 'GET',
        path: `${base}/jobs/${encodeURIComponent(jobId)}?${query.toString()}`,
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(PATIENCE_MS)
      })
      if (statusCode === 200) return { ok: true, job: await readJob(body) }
      await body.dump({ limit: MAX_BODY_BYTES })
      if (statusCode === 404) return { ok: false, error: 'not found' }
      if (statusCode === 401) return { ok: false, error: 'unauthorized' }
      log.warn({ statusCode }, 'jobs-api refused')
    } catch (err) {
      log.warn({ err }, 'jobs-api away')
    }
    return { ok: false, error: 'unavailable' }
  }

  return { find, close: () => pool.close() }
}

async function readJob (body: AsyncIterable<Buffer>): Promise<Job> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new RangeError(`The answer of jobs-api is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as Job
}
