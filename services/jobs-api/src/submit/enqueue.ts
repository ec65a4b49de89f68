import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Submission } from './submission.ts'

/** A submitter waits no longer for Redis: the row stands, and the sweeper adds what did not get there. */
const ENQUEUE_TIMEOUT_MS = 300

export type FindQueue = (name: string) => Queue

type EnqueueOptions = { findQueue: FindQueue, log: FastifyBaseLogger }

/**
 * Hands jobs that are written down to BullMQ, each queue's in one addBulk.
 * Never fails: an add that came too late, or twice, finds the job there and does nothing.
 */
export async function enqueue (jobs: Submission[], { findQueue, log }: EnqueueOptions): Promise<void> {
  const added = Promise.all(Object.entries(Object.groupBy(jobs, ({ queue }) => queue)).map(async ([queue, ofQueue = []]) => {
    try {
      await addAll(findQueue(queue), ofQueue)
    } catch (err) {
      log.warn({ err, queue, jobs: ofQueue.length }, 'enqueue failed; left to the sweeper')
    }
  }))
  const late = new AbortController()
  await Promise.race([added, sleep(ENQUEUE_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => {})])
  late.abort()
}

async function addAll (queue: Queue, jobs: Submission[]): Promise<void> {
  const [first] = jobs
  if (first && jobs.length === 1) await queue.add(first.name, first.data, first.options)
  else await queue.addBulk(jobs.map(({ name, data, options }) => ({ name, data, opts: options })))
}
