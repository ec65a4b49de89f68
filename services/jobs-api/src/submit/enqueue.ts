import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'
import { findCancelled } from '../db/find-cancelled.ts'
import { removeQueued } from '../bullmq/remove-queued.ts'
import type { Submission } from './submission.ts'

/** A submitter waits no longer for Redis: the row stands, and the sweeper adds what did not get there. */
const ENQUEUE_TIMEOUT_MS = 300

export type FindQueue = (name: string) => Queue

type EnqueueOptions = { sql: RawSql, findQueue: FindQueue, log: FastifyBaseLogger }

/**
 * Hands jobs that are written down to BullMQ, each queue's in one addBulk.
 * Never fails: an add that came too late, or twice, finds the job there and does nothing.
 */
export async function enqueue (jobs: Submission[], { sql, findQueue, log }: EnqueueOptions): Promise<void> {
  const late = new AbortController()
  const added = Promise.all(Object.entries(Object.groupBy(jobs, ({ queue }) => queue)).map(async ([name, ofQueue = []]) => {
    try {
      const queue = findQueue(name)
      await addAll(queue, ofQueue)
      if (late.signal.aborted) await removeCancelled(sql, queue, ofQueue)
    } catch (err) {
      log.warn({ err, queue: name, jobs: ofQueue.length }, 'enqueue failed; left to the sweeper')
    }
  }))
  await Promise.race([added, sleep(ENQUEUE_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => {})])
  late.abort()
}

async function addAll (queue: Queue, jobs: Submission[]): Promise<void> {
  const [first] = jobs
  if (first && jobs.length === 1) await queue.add(first.name, first.data, first.options)
  else await queue.addBulk(jobs.map(({ name, data, options }) => ({ name, data, opts: options })))
}

/** Who was answered before the job was there may have asked for its end by now, and there was nothing to remove. A worker that has it is told. */
async function removeCancelled (sql: RawSql, queue: Queue, jobs: Submission[]): Promise<void> {
  for (const id of await findCancelled(sql, queue.name, jobs.map(({ id }) => id))) await removeQueued(queue, id)
}
