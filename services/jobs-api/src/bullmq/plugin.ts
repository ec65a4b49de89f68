import { Queue } from 'bullmq'
import fp from 'fastify-plugin'
import { createRedis, redisUrl } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { BULLMQ_PREFIX } from '../job-queues.ts'

/**
 * Decorates `app.findQueue(name)`: the BullMQ queues of JOB_QUEUES over one
 * connection, whose commands fail at once while Redis is away.
 */
export const queues = fp<{ config: Config }>(async function queues (app, { config }) {
  const connection = createRedis(redisUrl(config))
  connection.on('error', () => {}) // told once by the plugin `redis`
  const byName = new Map(config.queues.map(name => [name, openQueue(name)]))

  function openQueue (name: string): Queue {
    const queue = new Queue(name, {
      connection,
      prefix: config.queuePrefixes[name] ?? BULLMQ_PREFIX,
      skipMetasUpdate: true, // else it sets BullMQ's cap of events back to 10,000
      skipVersionCheck: true, // asks Redis before the first command, and never works again when that fails
      skipWaitingForReady: true
    })
    queue.on('error', err => app.log.debug({ err, queue: name }, 'queue: connection lost'))
    return queue
  }

  app.decorate('queueNames', config.queues)
  app.decorate('findQueue', function findQueue (name) {
    const queue = byName.get(name)
    if (!queue) throw new RangeError(`JOB_QUEUES does not name "${name}"`)
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
    /** @throws RangeError where the name is none of `queueNames` */
    findQueue (name: string): Queue
  }
}
