import type { Queue } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import { withTimeout, type RawSql } from '@tidings/service-kit'
import { removeQueued } from '../bullmq/remove-queued.ts'
import { findCancelled } from '../db/find-cancelled.ts'
import type { Submission } from './submission.ts'

/** A submitter waits no longer for Redis: the row is written, and the outbox adds the jobs that did not get there. */
const ENQUEUE_TIMEOUT_MS = 300

export type FindQueue = (name: string) => Queue

type EnqueueOptions = { sql: RawSql, findQueue: FindQueue, log: FastifyBaseLogger }

/**
 * Adds stored jobs to BullMQ, with one addBulk per queue. Never fails: an add that is late, or done twice, finds the
 * job there and does nothing.
 */
export async function enqueue (jobs: Submission[], { sql, findQueue, log }: EnqueueOptions): Promise<void> {
  let isLate = false
  const byQueue = Object.entries(Object.groupBy(jobs, ({ queue }) => queue))
  const added = Promise.all(byQueue.map(async ([name, ofQueue = []]) => {
    try {
      const queue = findQueue(name)
      await addAll(queue, ofQueue)
      if (isLate) await removeCancelled(sql, queue, ofQueue)
    } catch (err) {
      log.warn({ err, queue: name, jobs: ofQueue.length }, 'enqueue failed; left to the outbox')
    }
  }))
  await withTimeout(added, ENQUEUE_TIMEOUT_MS, () => { isLate = true })
}

async function addAll (queue: Queue, jobs: Submission[]): Promise<void> {
  const [first] = jobs
  if (first && jobs.length === 1) await queue.add(first.name, first.data, first.options)
  else await queue.addBulk(jobs.map(({ name, data, options }) => ({ name, data, opts: options })))
}

/**
 * A client that was answered before the add may have cancelled the job meanwhile, when there was nothing to remove. If
 * a worker has the job already, the cancel has signalled it.
 */
async function removeCancelled (sql: RawSql, queue: Queue, jobs: Submission[]): Promise<void> {
  for (const id of await findCancelled(sql, queue.name, jobs.map(({ id }) => id))) await removeQueued(queue, id)
}
