import { pgColumns } from '@tidings/service-kit'
import type { OrderingGroup } from '../delivery/attempt/task.ts'
import type { Sql } from '../db/sql.ts'

/** An ordering group with pending deliveries in Postgres. */
export type PendingGroup = {
  webhook_id: number
  ordering_key: string
  /** This process holds all of its pending deliveries. */
  ours: boolean
}

/**
 * The groups that have pending deliveries. However long one is, few of its rows
 * are read, by index pending_chains: the oldest, and from there to the first
 * that is not ours. The arrays are passed as subselects, as in `findTargets`.
 */
export async function findPendingGroups (
  sql: Sql, groups: OrderingGroup[], workerId: number
): Promise<PendingGroup[]> {
  if (groups.length === 0) return []
  const { numbers, texts } = pgColumns(groups)
  return await sql<PendingGroup[]>`
    select g.webhook_id, g.ordering_key, (
      select d.id from webhooks.deliveries d
      where d.webhook_id = g.webhook_id and d.chain = g.ordering_key and d.finished_at is null and d.claim is distinct from ${workerId}
      order by d.event_ms, d.event_seq limit 1) is null as ours
    from unnest((select ${numbers('webhookId')}::int[]), (select ${texts('orderingKey')}::text[])) as g (webhook_id, ordering_key)
    cross join lateral (
      select from webhooks.deliveries d where d.webhook_id = g.webhook_id and d.chain = g.ordering_key and d.finished_at is null
      order by d.event_ms, d.event_seq limit 1) oldest`
}
