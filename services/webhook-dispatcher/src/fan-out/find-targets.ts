import type { PublishedJobEvent } from '@tidings/contracts'
import { isNewer, type EventId } from '@tidings/job-events'
import { textArray } from '@tidings/service-kit'
import { originOf } from '../delivery/scheduler/endpoint.ts'
import type { Target } from '../delivery/attempt/task.ts'
import type { Sql } from '../db/sql.ts'
import { passes } from '../webhooks/filter.ts'

/**
 * The webhooks of these events' owners, by user. Not cached, so that a webhook
 * receives every event after its creation. Hidden webhooks of jobs are read only
 * where an event names their origin. The arrays are passed as subselects:
 * Postgres does not see their length then and keeps one plan for all batches;
 * planning each statement took five times as long as running it.
 */
export async function findTargets (sql: Sql, events: PublishedJobEvent[]): Promise<Map<string, Target[]>> {
  const users = [...new Set(events.map(({ userId }) => userId))]
  const urls = events.flatMap(({ webhookUrl }) => webhookUrl ?? [])
  const origins = [...new Set(urls.map(url => originOf({ url })))]
  const targets = await sql<Target[]>`
    select * from webhooks.targets
    where user_id = any((select ${textArray(users)}::text[])::text[]) and (kind <> 'job' or url = any((select ${textArray(origins)}::text[])::text[]))
    order by id`
  return Map.groupBy(targets, ({ user_id: userId }) => userId)
}

/** Whether an event, with this id, goes to a webhook: by the webhook's kind, event types, creation and filter. */
export function accepts (target: Target, event: PublishedJobEvent, id: EventId): boolean {
  if (target.kind === 'job') return isOwnWebhook(target, event)
  const { event_type: only, event_types: some, filter } = target
  if (only !== 'all' && only !== event.type) return false
  if (only === 'all' && some !== null && !(some as readonly string[]).includes(event.type)) return false
  if (!isNewer(id, { ms: target.since_ms, seq: target.since_seq })) return false
  return filter === null || passes(filter, event)
}

/** The relay puts the job's own webhookUrl on the events that were selected for it, and on no others. */
function isOwnWebhook ({ url }: Target, { webhookUrl }: PublishedJobEvent): boolean {
  return webhookUrl !== undefined && url === originOf({ url: webhookUrl })
}
