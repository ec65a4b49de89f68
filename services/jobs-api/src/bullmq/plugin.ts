import { Queue } from 'bullmq'
import fp from 'fastify-plugin'
import { createRedis, redisUrl } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { BULLMQ_PREFIX } from '../job-queues.ts'

/**
 * Decorates `app.findQueue(name)`: the BullMQ queues of JOB_QUEUES over one connection, whose commands fail at once
 * while Redis is away.
 */
export const queues = fp<{ config: Config }>(async function queues (app, { config }) {
  const connection = createRedis(redisUrl(config))
  connection.on('error', () => {}) // the plugin `redis` logs it
  const byName = new Map(config.queues.map(name => [name, openQueue(name)]))

  function openQueue (name: string): Queue {
    const queue = new Queue(name, {
      connection,
      prefix: config.queuePrefixes[name] ?? BULLMQ_PREFIX,
      skipMetasUpdate: true, // otherwise it resets BullMQ's limit of events to 10,000
      skipVersionCheck: true, // sends a command before the first one, and the queue never works again if that fails
      skipWaitingForReady: true
    })
    queue.on('error', err => app.log.debug({ err, queue: name }, 'queue: connection lost'))
    return queue
  }

  app.decorate('queueNames', config.queues)
  app.decorate('findQueue', function findQueue (name) {
    const queue = byName.get(name)
    if (!queue) throw new RangeError(`JOB_QUEUES does not contain "${name}"`)
    return queue
  })
  app.addHook('onClose', async () => {
    await Promise.allSettled([...byName.values()].map(queue => queue.close()))
    connection.disconnect()
  })
}, { name: 'queues', dependencies: ['redis'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** JOB_QUEUES; the first is the default of a submit. */
    queueNames: [string, ...string[]]
    /** @throws RangeError if `queueNames` does not contain the name */
    findQueue (name: string): Queue
  }
}
