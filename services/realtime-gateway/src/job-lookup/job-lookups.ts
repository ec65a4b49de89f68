import { MAX_FIND_JOBS, type Job } from '@tidings/contracts'
import { newest, type EventId } from '@tidings/job-events'
import { CONNECTIONS, type JobName, type FindJobsResult, type JobsApi, type Refusal } from './jobs-api.ts'
import { parseJson } from './parse-json.ts'

/** Look-ups of one user that may wait: five sessions with all the subscriptions that one may have. */
const MAX_WAITING = 5000

export type FoundJob = { ok: true, job: Job } | { ok: false, error: 'not found' | Refusal }

export type JobLookup = JobName & { userId: string, token: string, after: EventId }

export type JobLookups = ReturnType<typeof createJobLookups>

type Waiting = JobLookup & { resolve: (found: FoundJob) => void }

type JobLookupsOptions = { jobsApi: Pick<JobsApi, 'find'>, maxWaiting?: number }

/**
 * Looks jobs up for sessions. What one user asks for goes out together, at most
 * 100 jobs at a time and one question after the other, and the users take
 * turns: so a client that subscribes to hundreds of jobs is a few questions to
 * jobs-api, and one that never stops delays nobody else.
 */
export function createJobLookups ({ jobsApi, maxWaiting = MAX_WAITING }: JobLookupsOptions) {
  const waiting = new Map<string, Waiting[]>()
  /** Users whose turn comes, in its order: who waits and has no question under way. */
  const readyUsers = new Set<string>()
  const busyUsers = new Set<string>()
  let isScheduled = false

  function find (lookUp: JobLookup): Promise<FoundJob> {
    const { userId } = lookUp
    const own = waiting.get(userId) ?? []
    if (own.length >= maxWaiting) return Promise.resolve({ ok: false, error: 'rate limited' })
    return new Promise(resolve => {
      own.push({ ...lookUp, resolve })
      waiting.set(userId, own)
      enqueueUser(userId)
    })
  }

  function enqueueUser (userId: string) {
    if (busyUsers.has(userId)) return
    readyUsers.add(userId)
    // What a client sends in one turn of the event loop is one question.
    if (!isScheduled) setImmediate(flush)
    isScheduled = true
  }

  function flush () {
    isScheduled = false
    for (const userId of readyUsers) {
      if (busyUsers.size >= CONNECTIONS) return
      readyUsers.delete(userId)
      fetchBatch(userId, batchOf(userId)).catch(() => {}) // it settles all by itself
    }
  }

  /** As many as go into one question: all with the same token. */
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

  /** Answers those that can be answered; returns the others. */
  function settle (batch: Waiting[], answer: FindJobsResult): Waiting[] {
    if (!answer.ok) {
      for (const { resolve } of batch) resolve({ ok: false, error: answer.error })
      if (answer.isUnreachable) failAll()
      return []
    }
    return batch.filter(({ resolve }, index) => {
      const text = answer.jobs[index] ?? 'none'
      if (text === 'later') return true
      resolve(text === 'none' ? { ok: false, error: 'not found' } : { ok: true, job: parseJson(text) as Job })
      return false
    })
  }

  /** Nobody gets an answer now, so nobody is to wait for one: who asks from now on finds out anew. */
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
    after: others.reduce((after, other) => newest(after, other.after), first.after),
    jobs: batch.map(({ jobId, queue }) => ({ jobId, ...(queue !== undefined && { queue }) }))
  }
}
