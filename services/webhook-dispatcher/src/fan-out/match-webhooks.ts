import { webhookMessage, type PublishedJobEvent, type WebhookPayload } from '@tidings/contracts'
import { eventIdOf, type EventId } from '@tidings/job-events'
import { replaceNul } from '@tidings/service-kit'
import { groupKey, type OrderingGroup, type Target } from '../delivery/attempt/task.ts'
import { accepts } from './find-targets.ts'

/** An event as it is delivered, with the webhooks that receive it. */
export type FanOut = {
  id: EventId
  userId: string
  type: WebhookPayload['eventType']
  orderingKey: string
  body: string
  messageId: string
  /** The job's own webhookUrl. */
  webhookUrl: string | undefined
  targets: Target[]
}

/**
 * Matches events with webhooks. Events that only paused or disabled webhooks
 * accept are kept too, so that a replay can deliver them later.
 */
export function matchWebhooks (events: PublishedJobEvent[], targetsByUser: Map<string, Target[]>): FanOut[] {
  return events.flatMap(event => {
    const targets = targetsByUser.get(event.userId)
    if (!targets) return []
    const id = eventIdOf(event.eventId)
    const matching = targets.filter(target => accepts(target, event, id))
    const message = matching.length > 0 && webhookMessage(event)
    if (!message) return []
    return [{
      id,
      userId: event.userId,
      type: message.eventType,
      orderingKey: replaceNul(`${event.queue}:${event.jobId}`),
      body: message.body,
      messageId: event.eventId,
      webhookUrl: event.webhookUrl,
      targets: matching.filter(({ status }) => status === 'active')
    }]
  })
}

/** The ordering groups of these events. */
export function orderingGroups (fanOuts: FanOut[]): OrderingGroup[] {
  const groups = fanOuts.flatMap(
    ({ orderingKey, targets }) => targets.map(({ id }) => ({ webhookId: id, orderingKey }))
  )
  return [...new Map(groups.map(group => [groupKey(group.webhookId, group.orderingKey), group])).values()]
}
