import type { Queue } from 'bullmq'

/** A queue as BullMQ knows it, its own prefix included (`bull`, or another one of JOB_QUEUES). */
export type QueueKeys = Pick<Queue, 'toKey'>

/** What comes before the rest of each of its keys. */
export const queuePrefix = (queue: QueueKeys) => queue.toKey('')

export const queueEventsKey = (queue: QueueKeys) => queue.toKey('events')
export const queueMetaKey = (queue: QueueKeys) => queue.toKey('meta')
