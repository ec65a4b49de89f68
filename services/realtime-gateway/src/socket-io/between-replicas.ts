import { createShardedAdapter } from '@socket.io/redis-adapter'
import type { Redis } from 'ioredis'
import type { Server } from 'socket.io'
import { REALTIME_CHANNEL } from '@tidings/contracts'

type Log = { warn (fields: object, message: string): void }

/**
 * Lets replicas speak to each other: `io.serverSideEmit`. Job events never go
 * this way, so what it loses while Redis is away is made up for elsewhere.
 */
export function connectReplicas (io: Server, redis: Redis, log: Log) {
  const subscriber = redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: undefined })
  subscriber.on('error', (err: Error) => log.warn({ err }, 'replicas: connection lost'))
  // The adapter calls these and lets their promises go: a lost connection would end the process.
  subscriber.ssubscribe = settled(subscriber.ssubscribe.bind(subscriber))
  subscriber.sunsubscribe = settled(subscriber.sunsubscribe.bind(subscriber))
  // Static: with `dynamic`, what is sent right after a join is lost.
  io.adapter(createShardedAdapter(redis, subscriber, { subscriptionMode: 'static', channelPrefix: REALTIME_CHANNEL }))

  function settled<Call extends (...args: never[]) => Promise<unknown>> (call: Call): Call {
    return ((...args: Parameters<Call>) => call(...args).catch((err: Error) => log.warn({ err }, 'replicas: subscription lost'))) as Call
  }

  return { close: () => subscriber.disconnect() }
}
