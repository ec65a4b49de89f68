import createError from '@fastify/error'
import type { FastifyBaseLogger } from 'fastify'
import type { SubmittedJob } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { countByState } from '../read/count-jobs.ts'
import { enqueue, type FindQueue } from './enqueue.ts'
import { insertJobs } from './insert-jobs.ts'
import { submittedJob, type Submission } from './submission.ts'

const KeyReused = createError('IDEMPOTENCY_KEY_REUSED',
  'This Idempotency-Key was used with another request within the last 24 hours', 409)

const TooManyOpen = createError('TOO_MANY_OPEN_JOBS', '%s', 429)
/** Jobs end in their own time; a retry each second would not help. */
const OPEN_RETRY_AFTER_S = 30

type Repeatable = { userId: string, key: string, bodyHash: string }

type SubmitContext = {
  sql: RawSql
  findQueue: FindQueue
  log: FastifyBaseLogger
  /** JOBS_OPEN_MAX_PER_USER. */
  maxOpen: number
  /** Set if the request has an Idempotency-Key. */
  repeatable?: Repeatable | undefined
}

/**
 * Accepts jobs of one user: they are stored, then added to BullMQ. A repeated request (the same key and body within 24
 * hours) gets the first response.
 */
export async function submit (jobs: Submission[], context: SubmitContext): Promise<SubmittedJob[]> {
  const { sql, findQueue, log, maxOpen, repeatable } = context
  const answer = jobs.map(submittedJob)
  const isWritten = await insertJobs(sql, jobs, { maxOpen, key: repeatable && { ...repeatable, answer } })
  if (!isWritten) {
    const first = repeatable && await firstAnswer(sql, repeatable)
    return first ?? await refuseBeyondQuota(sql, jobs, maxOpen)
  }
  await enqueue(jobs, { sql, findQueue, log })
  return answer
}

export async function submitOne (job: Submission, context: SubmitContext): Promise<SubmittedJob> {
  const [submitted = submittedJob(job)] = await submit([job], context)
  return submitted
}

/** The response stored with a key, undefined if the key is new. @throws KeyReused if the request was another one */
export async function firstAnswer (
  sql: RawSql, { userId, key, bodyHash }: Repeatable
): Promise<SubmittedJob[] | undefined> {
  const [first] = await sql<{ body_hash: string, answer: SubmittedJob[] }[]>`
    select body_hash, answer from jobs.idempotency_keys where user_id = ${userId} and key = ${key}`
  if (first && first.body_hash !== bodyHash) throw new KeyReused()
  return first?.answer
}

async function refuseBeyondQuota (sql: RawSql, jobs: Submission[], maxOpen: number): Promise<never> {
  const { waiting, delayed, active } = await countByState(sql, jobs[0]?.userId ?? '')
  const open = `${waiting + delayed + active} jobs are open (${waiting} waiting, ${delayed} delayed, ${active} active)`
  const limit = `${jobs.length} more would exceed the ${maxOpen} that a user may have`
  const detail = `${open}; ${limit}. Wait for some to finish, or cancel some`
  throw Object.assign(new TooManyOpen(detail), { retryAfterS: OPEN_RETRY_AFTER_S })
}
