import { pgColumns } from '@tidings/service-kit'
import type { OrderingGroup } from '../delivery/attempt/task.ts'
import type { Sql } from '../db/sql.ts'

/** A chain of which something waits in Postgres. */
export type PendingGroup = {
  webhook_id: number
  chain: string
  /** All that waits is held by this process. */
  ours: boolean
}

/**
 * Those of the chains that have pending deliveries. However long one is, few of
 * its rows are read, by index pending_chains: the oldest, and from there on to
 * the first that is not ours. The arrays are selected so that one plan is kept, as in `readTargets`.
 */
export async function findPendingGroups (sql: Sql, groups: OrderingGroup[], workerId: number): Promise<PendingGroup[]> {
  if (groups.length === 0) return []
  const { numbers, texts } = pgColumns(groups)
  return await sql<PendingGroup[]>`
    select c.webhook_id, c.chain, (
      select d.id from webhooks.deliveries d
      where d.webhook_id = c.webhook_id and d.chain = c.chain and d.finished_at is null and d.claim is distinct from ${workerId}
      order by d.event_ms, d.event_seq limit 1) is null as ours
    from unnest((select ${numbers('webhookId')}::int[]), (select ${texts('orderingKey')}::text[])) as c (webhook_id, chain)
    cross join lateral (
      select from webhooks.deliveries d where d.webhook_id = c.webhook_id and d.chain = c.chain and d.finished_at is null
      order by d.event_ms, d.event_seq limit 1) oldest`
}
