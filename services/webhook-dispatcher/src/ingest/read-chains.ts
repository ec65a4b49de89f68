import type { ChainId } from '../delivery/give-way.ts'
import type { Sql } from '../db/sql.ts'

/** A chain of which something waits in Postgres. */
export type WaitingChain = {
  webhook_id: number
  chain: string
  /** All that waits is held by this process. */
  ours: boolean
}

/** Those of the chains that have pending deliveries; by index pending_chains. */
export async function readChains (sql: Sql, chains: ChainId[], claim: number): Promise<WaitingChain[]> {
  if (chains.length === 0) return []
  return await sql<WaitingChain[]>`
    select c.webhook_id, c.chain, d.ours
    from unnest(${chains.map(({ webhookId }) => webhookId)}::int[], ${chains.map(({ chain }) => chain)}::text[]) as c (webhook_id, chain)
    cross join lateral (
      select count(*) as waiting, coalesce(bool_and(d.claim is not distinct from ${claim}), false) as ours
      from webhooks.deliveries d where d.webhook_id = c.webhook_id and d.chain = c.chain and d.finished_at is null) d
    where d.waiting > 0`
}
