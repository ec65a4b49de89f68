import fp from 'fastify-plugin'
import { relayLeaseKey } from '@tidings/contracts'
import { createStreamWriter } from '@tidings/job-events'
import { backlogOf } from '../bullmq/event-stream.ts'
import { streamBounds, type Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { projectorLag, relayBacklog, streamSize } from '../metrics.ts'
import { createQueueDuties } from './queue-duties.ts'

/** Each queue has one replica as its leader; a replica may lead several queues. */
export const queueLeader = fp<{ config: Config }>(async function queueLeader (app, { config }) {
  const { redis, loops, log } = app
  const stream = createStreamWriter(redis, streamBounds(config))
  const backlog = async (queue: string) => await backlogOf(redis, app.findQueue(queue), await stream.position(queue))

  projectorLag(app.metricsRegistry, async () => {
    const last = await stream.last().catch(() => undefined) // while Redis is away no event is published
    return Math.max(0, (last?.ms ?? 0) - app.projection.position.ms)
  })
  streamSize(app.metricsRegistry, async () => await stream.size().catch(() => undefined)) // Redis is away
  relayBacklog(app.metricsRegistry, config.queues, async queue => await backlog(queue).catch(() => undefined))
  redis.setMaxListeners(redis.getMaxListeners() + config.queues.length) // each lease adds a listener
  const leases = config.queues.map(queue => {
    const { work, fault } = createQueueDuties(app, queue, stream)
    const lease = holdLease({ redis, key: relayLeaseKey(queue), ttlMs: config.LEASE_MS, loops, log, work })
    app.watchConsumer({
      what: `relay of ${queue}`,
      position: async () => Object.values(await stream.position(queue)).join(' '),
      isBehind: async () => await backlog(queue).catch(oneIfUnreadable) > 0,
      reason: fault,
      isOwn: () => lease.isHeld
    })
    return lease
  })
  app.addHook('onClose', async () => {
    await Promise.all(leases.map(lease => lease.stop()))
  })
}, { name: 'queue-leader', dependencies: ['projector', 'queues', 'readiness'] })

/** A key of another type in place of BullMQ's stream: nothing of the queue can be relayed. */
function oneIfUnreadable (err: Error): number {
  if (err.message.startsWith('WRONGTYPE')) return 1
  throw err
}
