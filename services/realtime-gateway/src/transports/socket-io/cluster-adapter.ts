import { createShardedAdapter } from '@socket.io/redis-adapter'
import type { Redis } from 'ioredis'
import type { Namespace, Server } from 'socket.io'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { REALTIME_CHANNEL } from '@tidings/contracts'

/** What a replica says to the others: the user whose tokens issued before a moment (seconds since 1970) are void. */
export const REVOKED = 'revoked'

/** `MessageType.SERVER_SIDE_EMIT` of socket.io-adapter. */
const SERVER_SIDE_EMIT = 9
/** A larger message is none of ours. */
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
/** What the adapter keeps to itself; the version is pinned and a test sends it junk. */
type Receiving = { onRawMessage: (message: Buffer, channel: Buffer) => void }

type ClusterAdapterOptions = { redis: Redis, log: Log, onMalformed: () => void }

/**
 * Lets replicas speak to each other: `io.serverSideEmit`. Job events never go
 * this way, so what it loses while Redis is away is made up for elsewhere.
 */
export function useClusterAdapter (io: Server, { redis, log, onMalformed }: ClusterAdapterOptions) {
  const subscriber = redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: undefined })
  subscriber.on('error', (err: Error) => log.warn({ err }, 'replicas: connection lost'))
  // The adapter calls these and lets their promises go: a lost connection would end the process.
  subscriber.ssubscribe = settled(subscriber.ssubscribe.bind(subscriber))
  subscriber.sunsubscribe = settled(subscriber.sunsubscribe.bind(subscriber))
  // Static: with `dynamic`, what is sent right after a join is lost.
  const create = createShardedAdapter(redis, subscriber, { subscriptionMode: 'static', channelPrefix: channelOf(redis) })
  // Called with `new`, so no arrow.
  io.adapter(function adapter (namespace: Namespace) { return guarded(create(namespace) as unknown as Receiving) } as unknown as Parameters<Server['adapter']>[0])

  /**
   * Anybody who reaches Redis may publish anything on the channel. The adapter
   * checks only that it is JSON or MessagePack, and acts on all of its protocol
   * (events to clients, disconnects): what is no revocation is left out.
   */
  function guarded (adapter: Receiving): Receiving {
    const receive = adapter.onRawMessage.bind(adapter)
    adapter.onRawMessage = (message, channel) => {
      try {
        if (isOurs(message)) return receive(message, channel)
        log.debug({ channel: String(channel), bytes: message.length }, 'replicas: a message that no replica sent')
      } catch (err) {
        log.warn({ err }, 'replicas: message failed')
      }
      onMalformed()
    }
    return adapter
  }

  function settled<Call extends (...args: never[]) => Promise<unknown>> (call: Call): Call {
    return ((...args: Parameters<Call>) => call(...args).catch((err: Error) => log.warn({ err }, 'replicas: subscription lost'))) as Call
  }

  return { close: () => subscriber.disconnect() }
}

/** Channels know no database numbers, so those of two systems on one Redis would be the same. */
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
