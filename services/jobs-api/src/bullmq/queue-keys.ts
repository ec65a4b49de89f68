import type { Queue } from 'bullmq'

/** A queue's keys in Redis, under the prefix that BullMQ uses for it (`bull`, or another one of JOB_QUEUES). */
export type QueueKeys = Pick<Queue, 'toKey'>

/** The common prefix of the queue's keys. */
export const queuePrefix = (queue: QueueKeys) => queue.toKey('')

export const queueEventsKey = (queue: QueueKeys) => queue.toKey('events')
export const queueMetaKey = (queue: QueueKeys) => queue.toKey('meta')
