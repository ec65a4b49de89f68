import type { PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf, isNewer } from '@tidings/job-events'
import { textArray } from '@tidings/service-kit'
import { originOf } from '../delivery/scheduler/endpoint.ts'
import type { Target } from '../delivery/attempt/task.ts'
import type { Sql } from '../db/sql.ts'

/**
 * The webhooks of these events' owners as they are now: not cached, so that a
 * webhook is told of everything after its creation. Of the hidden webhooks of
 * jobs only those are read that an event names the origin of. The arrays are selected: Postgres then does not see their length,
 * and keeps one plan for all batches; to plan anew for each took five times what the statement does.
 */
export async function findTargets (sql: Sql, events: PublishedJobEvent[]): Promise<Map<string, Target[]>> {
  const users = [...new Set(events.map(({ userId }) => userId))]
  const origins = [...new Set(events.flatMap(({ webhookUrl }) => webhookUrl === undefined ? [] : originOf({ url: webhookUrl })))]
  const targets = await sql<Target[]>`
    select * from webhooks.targets
    where user_id = any((select ${textArray(users)}::text[])::text[]) and (kind <> 'job' or url = any((select ${textArray(origins)}::text[])::text[]))
    order by id`
  return Map.groupBy(targets, ({ user_id: userId }) => userId)
}

/** Whether a webhook, as far as its kind and event type go, is told of an event. */
export function accepts (target: Target, { type, eventId, webhookUrl }: PublishedJobEvent): boolean {
  if (target.kind === 'job' && (webhookUrl === undefined || target.url !== originOf({ url: webhookUrl }))) return false
  if (target.event_type !== 'all' && target.event_type !== type) return false
  return isNewer(eventIdOf(eventId), { ms: target.since_ms, seq: target.since_seq })
}
