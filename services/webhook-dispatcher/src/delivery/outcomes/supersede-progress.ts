import type { Sql } from '../../db/sql.ts'
import { groupKey, SUPERSEDED, type OrderingGroup } from '../attempt/task.ts'
import type { TaskOutcome } from './update-outcomes.ts'

export type AffectedGroup = OrderingGroup & {
  /** Known to fail; where it only waits, what stands in Postgres tells. */
  isFailing: boolean
  /** The newest progress alone is wanted: by the webhook, or because the job's deliveries lag. */
  latestOnly: boolean
}

/** Rows of one chain at a time. It also keeps the planner from reading all that waits, to join it. */
const MAX_GROUP = 10_000
const WAITS_FOR_RETRY = 'Waits as long as the attempt before it that failed'

/** The chains in which news may have to give way after these results. */
export function affectedGroups (entries: TaskOutcome[]): AffectedGroup[] {
  const groups = new Map<string, AffectedGroup>()
  for (const { task: { target, orderingKey }, result } of entries) {
    const latest = result.keyState === 'lagging' || (target.progress_mode === 'latest' && result.decision.state === 'pending')
    if (orderingKey === null || (result.keyState === 'clear' && !latest)) continue
    const key = groupKey(target.id, orderingKey)
    const known = groups.get(key)
    groups.set(key, {
      webhookId: target.id,
      orderingKey,
      latestOnly: latest || known?.latestOnly === true,
      isFailing: result.keyState === 'failing' || known?.isFailing === true
    })
  }
  return [...groups.values()]
}

/**
 * Of chains that fail at their endpoint: progress that something newer of the
 * same job has overtaken closes as superseded, so that at most the newest
 * progress and the completion or failure wait. Of chains that lag, and where the
 * webhook wants it so: progress that newer progress has overtaken. Progress of
 * a chain that fails which was not tried yet
 * waits as long as the attempt that failed; a completion or failure does not.
 * What is in flight is left alone: its own end comes here again. So is what
 * somebody else is just writing; to wait for it would be a deadlock, since the
 * one who records its outcome then waits for the webhook that is locked here.
 *
 * By index pending_chains a few rows a chain. The webhooks are to be locked
 * already: a failure that is recorded and news that are written at the same
 * moment would not see each other.
 */
export async function supersedeProgress (tx: Sql, groups: AffectedGroup[]): Promise<void> {
  await tx`
    with chain as (
      select webhook_id, chain, fails = 1 as fails, latest = 1 as latest from unnest(
        ${groups.map(({ webhookId }) => webhookId)}::int[], ${groups.map(({ orderingKey }) => orderingKey)}::text[],
        ${groups.map(({ isFailing }) => Number(isFailing))}::int[], ${groups.map(({ latestOnly }) => Number(latestOnly))}::int[]
      ) as c (webhook_id, chain, fails, latest)
    ),
    pending as materialized (
      select d.id, d.claim, d.type, d.attempts, d.due_at, c.latest,
        c.fails or bool_or(d.attempts > 0 or d.reason is not null) over chain as fails,
        max(d.due_at) filter (where d.attempts > 0) over chain as wait_until,
        row_number() over (chain order by d.event_ms desc, d.event_seq desc) as newness,
        row_number() over (partition by d.webhook_id, d.chain, d.type order by d.event_ms desc, d.event_seq desc) as newness_of_type
      from chain c cross join lateral (
        select d.* from webhooks.deliveries d where d.webhook_id = c.webhook_id and d.chain = c.chain and d.finished_at is null
        order by d.event_ms, d.event_seq limit ${MAX_GROUP}) d
      window chain as (partition by d.webhook_id, d.chain)
    ),
    judged as (
      select *, type = 'progress' and ((fails and newness > 1) or (latest and newness_of_type > 1)) as is_overtaken from pending
    ),
    changed as materialized (
      select * from judged
      where (claim is null or claim not in (select id from webhooks.claimants where lease_until > now()))
        and (is_overtaken or (type = 'progress' and attempts = 0 and wait_until > due_at))
    ),
    locked as materialized (
      select d.id from webhooks.deliveries d
      where d.id = any(array(select id from changed)) and d.finished_at is null
      for update skip locked
    )
    update webhooks.deliveries d set
      claim = null,
      state = case when j.is_overtaken then 'superseded' else 'pending' end,
      reason = case when j.is_overtaken then ${SUPERSEDED} else ${WAITS_FOR_RETRY} end,
      finished_at = case when j.is_overtaken then now() end,
      due_at = greatest(d.due_at, j.wait_until)
    from changed j
    where d.id = any(array(select id from locked)) and d.id = j.id and d.finished_at is null and d.claim is not distinct from j.claim`
}
