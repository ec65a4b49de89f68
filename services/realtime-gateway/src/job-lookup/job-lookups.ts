import { MAX_FIND_JOBS, type Job } from '@tidings/contracts'
import { newest, type EventId } from '@tidings/job-events'
import { CONNECTIONS, type FindJobsResult, type JobName, type JobsApi, type Refusal } from './jobs-api.ts'
import { parseJson } from './parse-json.ts'

/** Lookups of one user that may wait: five sessions with the maximum number of subscriptions each. */
const MAX_WAITING = 5000

export type FoundJob = { ok: true, job: Job } | { ok: false, error: 'not found' | Refusal }

export type JobLookup = JobName & {
  userId: string
  /** Whether the token is not the user's but an operator's. */
  isOperator?: boolean
  token: string
  after: EventId
}

export type JobLookups = ReturnType<typeof createJobLookups>

type Waiting = JobLookup & { resolve: (found: FoundJob) => void }

type JobLookupsOptions = { jobsApi: Pick<JobsApi, 'find'>, maxWaiting?: number }

/**
 * Looks up jobs for sessions. The lookups of one user are sent in batches of at most 100 jobs, one batch after the
 * other, and the users are served in turn. So a client that subscribes to hundreds of jobs causes a few requests to
 * jobs-api, and one that never stops delays nobody else.
 */
export function createJobLookups ({ jobsApi, maxWaiting = MAX_WAITING }: JobLookupsOptions) {
  const waiting = new Map<string, Waiting[]>()
  /** Users with waiting lookups and no request in flight, in the order in which they are served. */
  const readyUsers = new Set<string>()
  /** Users with a request in flight. */
  const busyUsers = new Set<string>()
  let isScheduled = false

  function find (lookup: JobLookup): Promise<FoundJob> {
    const { userId } = lookup
    const own = waiting.get(userId) ?? []
    if (own.length >= maxWaiting) return Promise.resolve({ ok: false, error: 'rate limited' })
    return new Promise(resolve => {
      own.push({ ...lookup, resolve })
      waiting.set(userId, own)
      enqueueUser(userId)
    })
  }

  function enqueueUser (userId: string) {
    if (busyUsers.has(userId)) return
    readyUsers.add(userId)
    // Commands of a client in one tick of the event loop become one request.
    if (!isScheduled) setImmediate(flush)
    isScheduled = true
  }

  function flush () {
    isScheduled = false
    for (const userId of readyUsers) {
      if (busyUsers.size >= CONNECTIONS) return
      readyUsers.delete(userId)
      fetchBatch(userId, batchOf(userId)).catch(() => {}) // it settles all lookups itself
    }
  }

  /** As many lookups as fit into one request: all with the same token. */
  function batchOf (userId: string): Waiting[] {
    const own = waiting.get(userId) ?? []
    const end = own.findIndex(({ token }, index) => index === MAX_FIND_JOBS || token !== own[0]?.token)
    const batch = own.splice(0, end === -1 ? own.length : end)
    if (own.length === 0) waiting.delete(userId)
    return batch
  }

  async function fetchBatch (userId: string, batch: Waiting[]) {
    busyUsers.add(userId)
    const deferred = settle(batch, await jobsApi.find(requestOf(batch)))
    busyUsers.delete(userId)
    if (deferred.length > 0) waiting.set(userId, [...deferred, ...waiting.get(userId) ?? []])
    if (waiting.has(userId)) enqueueUser(userId)
    if (readyUsers.size > 0) flush()
  }

  /** Settles the lookups that the result decides; returns the others. */
  function settle (batch: Waiting[], result: FindJobsResult): Waiting[] {
    if (!result.ok) {
      for (const { resolve } of batch) resolve({ ok: false, error: result.error })
      if (result.isUnreachable) failAll()
      return []
    }
    return batch.filter(({ resolve }, index) => {
      const text = result.jobs[index] ?? 'none'
      if (text === 'later') return true
      resolve(text === 'none' ? { ok: false, error: 'not found' } : { ok: true, job: parseJson(text) as Job })
      return false
    })
  }

  /** Fails all waiting lookups at once, since none would get a response now. Later lookups try again. */
  function failAll () {
    for (const own of waiting.values()) for (const { resolve } of own) resolve({ ok: false, error: 'unavailable' })
    waiting.clear()
    readyUsers.clear()
  }

  return { find }
}

function requestOf (batch: Waiting[]) {
  const [first, ...others] = batch as [Waiting, ...Waiting[]]
  return {
    token: first.token,
    ...(first.isOperator && { userId: first.userId }),
    after: others.reduce((after, other) => newest(after, other.after), first.after),
    jobs: batch.map(({ jobId, queue }) => ({ jobId, ...(queue !== undefined && { queue }) }))
  }
}
