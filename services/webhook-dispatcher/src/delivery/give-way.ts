import type { Sql } from '../db/sql.ts'

export type Chain = { webhookId: number, chain: string }

const OVERTAKEN = 'Newer news of the job took its place'

/**
 * Of chains that fail at their endpoint: progress that something newer of the
 * same job has overtaken closes as superseded, so that at most the newest
 * progress and the completion or failure wait. Progress that was not tried yet
 * waits as long as the attempt that failed; a completion or failure does not.
 * What is in flight is left alone: its own end comes here again.
 * By index pending_chains, a few rows a chain.
 */
export async function giveWay (sql: Sql, chains: Chain[]): Promise<void> {
  await sql`
    with chain as (
      select distinct * from unnest(${chains.map(({ webhookId }) => webhookId)}::int[], ${chains.map(({ chain }) => chain)}::text[]) as c (webhook_id, chain)
    ),
    pending as materialized (
      select d.id, d.claim, d.type, d.attempts,
        row_number() over newest_first > 1 and d.type = 'progress' as is_overtaken,
        max(d.due_at) filter (where d.attempts > 0) over (partition by d.webhook_id, d.chain) as wait_until
      from chain c join webhooks.deliveries d on d.webhook_id = c.webhook_id and d.chain = c.chain and d.state = 'pending'
      window newest_first as (partition by d.webhook_id, d.chain order by d.event_ms desc, d.event_seq desc)
    )
    update webhooks.deliveries d set
      claim = null,
      state = case when p.is_overtaken then 'superseded' else 'pending' end,
      reason = case when p.is_overtaken then ${OVERTAKEN} end,
      finished_at = case when p.is_overtaken then now() end,
      due_at = greatest(d.due_at, p.wait_until)
    from pending p
    where d.id = p.id and d.state = 'pending' and d.claim is not distinct from p.claim
      and (p.claim is null or p.claim not in (select id from webhooks.claimants where lease_until > now()))
      and (p.is_overtaken or (p.type = 'progress' and p.attempts = 0 and p.wait_until > d.due_at))`
}
