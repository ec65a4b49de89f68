import { webhookMessage, type PublishedJobEvent, type WebhookPayload } from '@tidings/contracts'
import { eventIdOf, type EventId } from '@tidings/job-events'
import type { ChainId } from '../delivery/outcomes/supersede-progress.ts'
import type { Target } from '../delivery/attempt/task.ts'
import { wants } from './find-targets.ts'

/** An event, as it is told, with the webhooks that are told of it. */
export type Telling = {
  id: EventId
  userId: string
  type: WebhookPayload['eventType']
  chain: string
  body: string
  messageId: string
  /** The job's own. */
  webhookUrl: string | undefined
  targets: Target[]
}

/**
 * What a batch has to tell. Events that only paused or disabled webhooks would
 * hear are kept too: a replay can bring them when their owner is back.
 */
export function plan (events: PublishedJobEvent[], targetsOf: Map<string, Target[]>): Telling[] {
  return events.flatMap(event => {
    const listening = (targetsOf.get(event.userId) ?? []).filter(target => wants(target, event))
    const message = listening.length > 0 && webhookMessage(event)
    if (!message) return []
    return [{
      id: eventIdOf(event.eventId),
      userId: event.userId,
      type: message.eventType,
      chain: `${event.queue}:${event.jobId}`.replaceAll('\0', '\uFFFD'), // Postgres has no text with NUL in it
      body: message.body,
      messageId: event.eventId,
      webhookUrl: event.webhookUrl,
      targets: listening.filter(({ status }) => status === 'active')
    }]
  })
}

/** The chains that the tellings belong to. */
export function chainsOf (tellings: Telling[]): ChainId[] {
  const chains = tellings.flatMap(({ chain, targets }) => targets.map(({ id }) => ({ webhookId: id, chain })))
  return [...new Map(chains.map(chain => [`${chain.webhookId} ${chain.chain}`, chain])).values()]
}
