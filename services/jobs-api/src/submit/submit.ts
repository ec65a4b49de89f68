import createError from '@fastify/error'
import type { FastifyBaseLogger } from 'fastify'
import type { SubmittedJob } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { enqueue, type FindQueue } from './enqueue.ts'
import { insertJobs } from './insert-jobs.ts'
import { submittedJob, type Submission } from './submission.ts'

const KeyReused = createError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used with another request within the last 24 hours', 409)

type SubmitContext = {
  sql: RawSql
  findQueue: FindQueue
  log: FastifyBaseLogger
  /** Set where the request came with an Idempotency-Key. */
  repeatable?: { userId: string, key: string, bodyHash: string } | undefined
}

/**
 * Accepts jobs of one user: they are written down, then handed to BullMQ.
 * A repeat (the same key and body within 24 hours) gets the first one's answer.
 */
export async function submit (jobs: Submission[], { sql, findQueue, log, repeatable }: SubmitContext): Promise<SubmittedJob[]> {
  const answer = jobs.map(submittedJob)
  const written = await insertJobs(sql, jobs, repeatable && { ...repeatable, answer })
  if (!written && repeatable) return await firstAnswer(sql, repeatable)
  await enqueue(jobs, { sql, findQueue, log })
  return answer
}

export async function submitOne (job: Submission, context: SubmitContext): Promise<SubmittedJob> {
  const [submitted = submittedJob(job)] = await submit([job], context)
  return submitted
}

async function firstAnswer (sql: RawSql, { userId, key, bodyHash }: { userId: string, key: string, bodyHash: string }): Promise<SubmittedJob[]> {
  const [first] = await sql<{ body_hash: string, answer: SubmittedJob[] }[]>`
    select body_hash, answer from jobs.idempotency_keys where user_id = ${userId} and key = ${key}`
  if (first?.body_hash !== bodyHash) throw new KeyReused()
  return first.answer
}
