import fp from 'fastify-plugin'
import { relayLeaseKey } from '@tidings/contracts'
import { createStreamWriter } from '@tidings/job-events'
import { streamBounds, type Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { projectorLag, streamSize, unreadGauge } from '../metrics.ts'
import { queueWork } from './queue-duties.ts'
import { unreadEntries } from '../bullmq/event-stream-info.ts'

/** Each queue is relayed by one replica; each replica may hold several. */
export const relay = fp<{ config: Config }>(async function relay (app, { config }) {
  const { redis, log } = app
  const stream = createStreamWriter(redis, streamBounds(config))

  projectorLag(app.metricsRegistry, async () => {
    const told = await stream.last().catch(() => undefined) // Redis is away: nothing new is told
    return Math.max(0, (told?.ms ?? 0) - app.projected.position.ms)
  })
  streamSize(app.metricsRegistry, async () => await stream.size().catch(() => undefined)) // Redis is away
  unreadGauge(app.metricsRegistry, config.queues, async queue =>
    await stream.position(queue).then(async position => await unreadEntries(redis, app.findQueue(queue), position)).catch(() => undefined))
  redis.setMaxListeners(redis.getMaxListeners() + config.queues.length) // each lease listens for its own
  const leases = config.queues.map(queue => {
    const { work, fault } = queueWork(app, queue, stream)
    const lease = holdLease({ redis, key: relayLeaseKey(queue), ttlMs: config.LEASE_MS, log, work })
    app.watchConsumer({
      what: `relay of ${queue}`,
      position: async () => Object.values(await stream.position(queue)).join(' '),
      isBehind: async () => await unreadEntries(redis, app.findQueue(queue), await stream.position(queue)).catch(trueWhereUnreadable) > 0,
      reason: fault,
      isOwn: () => lease.isHeld
    })
    return lease
  })
  app.addHook('onClose', async () => {
    await Promise.all(leases.map(lease => lease.stop()))
  })
}, { name: 'relay', dependencies: ['projector', 'queues', 'readiness'] })

/** What stands in place of BullMQ's stream is no stream: nothing of the queue can be relayed. */
function trueWhereUnreadable (err: Error): number {
  if (err.message.startsWith('WRONGTYPE')) return 1
  throw err
}
