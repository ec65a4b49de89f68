import { Queue, Worker, type Processor, type QueueOptions, type WorkerOptions } from 'bullmq'
import { Redis } from 'ioredis'
import type { TestContext, TestRedis } from '@tidings/testing'

/** A producer as in production: its own connection, BullMQ's defaults. */
export function producer (
  t: TestContext, redis: TestRedis, name = 'default', options: Partial<QueueOptions> = {}
): Queue {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  connection.on('error', () => {})
  const queue = new Queue(name, { connection, ...options })
  queue.on('error', () => {})
  t.teardown(() => connection.disconnect())
  return queue
}

/** A worker as in production. */
export function worker (t: TestContext, redis: TestRedis, processor: Processor, {
  name = 'default', ...options
}: Partial<WorkerOptions> & { name?: string } = {}): Worker {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  connection.on('error', () => {})
  const one = new Worker(name, processor, { connection, ...options })
  one.on('error', () => {})
  t.teardown(async () => {
    await one.close(true)
    connection.disconnect()
  })
  return one
}
