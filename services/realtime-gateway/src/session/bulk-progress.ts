import fp from 'fastify-plugin'
import { Compile } from 'typebox/compile'
import { BULK_SCOPES, bulkProgressChannel, BulkProgressMessage, scopeBits } from '@tidings/contracts'
import { replaceSilent } from '@tidings/service-kit'
import { Frame } from './frame.ts'
import type { Session } from './session.ts'

/** A larger message is not ours. */
const MAX_MESSAGE_BYTES = 2048

const isMessage = Compile(BulkProgressMessage)

/**
 * Sends the progress of bulk actions, which the services publish in Redis, to the sessions of their user. It is no job
 * event: it has no id, is lost while Redis or the client is away, and `GET /bulk/:id` is the truth.
 */
export const bulkProgress = fp(async function bulkProgress (app) {
  const { redis, hub, meters, log } = app
  const channel = bulkProgressChannel(redis.options?.db ?? 0)
  const subscriber = redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null })
  subscriber.on('error', (err: Error) => log.debug({ err }, 'bulk progress: connection lost'))
  replaceSilent(subscriber)
  // ioredis subscribes again after each reconnect.
  subscriber.subscribe(channel).catch((err: Error) => log.warn({ err }, 'bulk progress: not subscribed'))
  subscriber.on('message', (_channel: string, text: string) => receive(text))
  app.addHook('onClose', async () => subscriber.disconnect())

  /** Anyone with access to Redis can publish on the channel. */
  function receive (text: string) {
    const message = parse(text)
    if (!message) return meters.malformedMessages.inc()
    const sessions = hub.sessionsOf(message.userId)
    if (!sessions) return
    const { progress } = message
    const frame = new Frame('bulk:progress', JSON.stringify(progress))
    for (const session of sessions) {
      // A client that does not keep up gets the newest of each bulk action.
      if (mayReceive(session, progress)) session.sendBuffer.write(frame, `bulk ${progress.bulkId}`)
    }
  }
}, { name: 'bulk-progress', dependencies: ['redis', 'stream', 'realtime-metrics'] })

function parse (text: string): BulkProgressMessage | undefined {
  if (text.length > MAX_MESSAGE_BYTES) return undefined
  try {
    const message: unknown = JSON.parse(text)
    return isMessage.Check(message) ? message : undefined
  } catch {
    return undefined // not JSON
  }
}

/** An operator's session was admitted for the user; the stream of one job is about that job only. */
function mayReceive (session: Session, { action }: BulkProgressMessage['progress']): boolean {
  if (session.kind !== 'user' || !session.helloSent || session.hasEnded) return false
  return session.isOperator || (session.identity.scopeBits & scopeBits([BULK_SCOPES[action].read])) !== 0
}
