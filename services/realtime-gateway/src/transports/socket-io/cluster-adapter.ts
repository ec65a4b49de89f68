import { createShardedAdapter } from '@socket.io/redis-adapter'
import type { Redis } from 'ioredis'
import type { Namespace, Server } from 'socket.io'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { REALTIME_CHANNEL } from '@tidings/contracts'
import { replaceSilent } from '@tidings/service-kit'

/** The event between replicas: a user whose tokens issued before a moment (seconds since 1970) are void. */
export const REVOKED = 'revoked'

/** `MessageType.SERVER_SIDE_EMIT` of socket.io-adapter. */
const SERVER_SIDE_EMIT = 9
/** A larger message is not ours. */
const MAX_MESSAGE_BYTES = 4096

const isMessage = Compile(Type.Object({
  uid: Type.String({ minLength: 1, maxLength: 64 }),
  nsp: Type.Literal('/'),
  type: Type.Literal(SERVER_SIDE_EMIT),
  data: Type.Object({
    packet: Type.Tuple([
      Type.Literal(REVOKED),
      Type.String({ minLength: 1, maxLength: 256 }),
      Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
    ])
  }, { additionalProperties: false })
}))

type Log = { warn (fields: object, message: string): void, debug (fields: object, message: string): void }
/** A private method of the adapter; the version is pinned, and a test sends it junk. */
type Receiving = { onRawMessage: (message: Buffer, channel: Buffer) => void }
type AdapterConstructor = Parameters<Server['adapter']>[0]

type ClusterAdapterOptions = { redis: Redis, log: Log, onMalformed: () => void }

/**
 * Lets replicas send each other events with `io.serverSideEmit`. Job events never take this way, so messages that are
 * lost while Redis is away are made up for elsewhere.
 */
export function useClusterAdapter (io: Server, { redis, log, onMalformed }: ClusterAdapterOptions) {
  const unlimited = { enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: undefined }
  const subscriber = redis.duplicate(unlimited)
  subscriber.on('error', (err: Error) => log.warn({ err }, 'cluster adapter: connection lost'))
  replaceSilent(subscriber)
  // The adapter calls these and ignores their promises: a lost connection would end the process.
  subscriber.ssubscribe = settled(subscriber.ssubscribe.bind(subscriber))
  subscriber.sunsubscribe = settled(subscriber.sunsubscribe.bind(subscriber))
  // Static: with `dynamic`, a message that is sent right after a join is lost.
  const options = { subscriptionMode: 'static', channelPrefix: channelOf(redis) } as const
  const create = createShardedAdapter(redis, subscriber, options)
  // Called with `new`, so not an arrow function.
  io.adapter(function adapter (namespace: Namespace) {
    return guarded(create(namespace) as unknown as Receiving)
  } as unknown as AdapterConstructor)

  /**
   * Anyone with access to Redis can publish on the channel. The adapter checks only that a message is JSON or
   * MessagePack, and obeys its whole protocol (events to clients, disconnects). Everything but a revocation is dropped.
   */
  function guarded (adapter: Receiving): Receiving {
    const receive = adapter.onRawMessage.bind(adapter)
    adapter.onRawMessage = (message, channel) => {
      try {
        if (isOurs(message)) return receive(message, channel)
        log.debug({ channel: String(channel), bytes: message.length }, 'cluster adapter: foreign message dropped')
      } catch (err) {
        log.warn({ err }, 'cluster adapter: message failed')
      }
      onMalformed()
    }
    return adapter
  }

  function settled<Call extends (...args: never[]) => Promise<unknown>> (call: Call): Call {
    const warn = (err: Error) => log.warn({ err }, 'cluster adapter: subscription lost')
    return ((...args: Parameters<Call>) => call(...args).catch(warn)) as Call
  }

  return { close: () => subscriber.disconnect() }
}

/** Channels do not depend on the database number, so two systems on one Redis would share one. */
function channelOf ({ options: { db = 0 } }: Redis): string {
  return db === 0 ? REALTIME_CHANNEL : `${REALTIME_CHANNEL}:${db}`
}

function isOurs (message: Buffer): boolean {
  if (message.length > MAX_MESSAGE_BYTES) return false
  try {
    return isMessage.Check(JSON.parse(message.toString()))
  } catch {
    return false // not JSON
  }
}
