import { isUnclaimed } from '../../db/fragments.ts'
import type { Sql } from '../../db/sql.ts'
import { groupKey, SUPERSEDED, type OrderingGroup } from '../attempt/task.ts'
import type { TaskOutcome } from './outcome-write.ts'

export type AffectedGroup = OrderingGroup & {
  /** Known to fail; where it is only blocked, the rows in Postgres decide. */
  isFailing: boolean
  /** Only the newest progress is to be delivered: the webhook wants it so, or the job's deliveries lag. */
  latestOnly: boolean
}

/** Rows of one ordering key at a time. It also keeps the planner from reading everything that waits, to join it. */
const MAX_GROUP = 10_000
const WAITS_FOR_RETRY = 'Waits for the retry of an older event of the job'

/** The ordering groups in which these outcomes may supersede progress. */
export function affectedGroups (outcomes: readonly TaskOutcome[]): AffectedGroup[] {
  const groups = new Map<string, AffectedGroup>()
  for (const { task: { target, orderingKey }, result } of outcomes) {
    const latest = result.keyState === 'lagging' || (
      target.progress_mode === 'latest' && result.decision.state === 'pending'
    )
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
 * Supersedes progress. In a failing group: by any newer event of the job, so
 * that at most the newest progress and the completion or failure wait. In a
 * group that lags, or whose webhook wants only the newest: by newer progress.
 * Progress of a failing group that was not tried yet waits for the retry of the
 * failed attempt; a completion or failure does not.
 *
 * Deliveries in flight are left alone: their own outcomes lead here again. So
 * are rows that another transaction is writing; waiting for them would be a
 * deadlock, since the writer of an outcome waits for the webhook locked here.
 *
 * Reads a few rows per group by index pending_chains. The webhooks must be
 * locked already: otherwise a failure and new events that are written at the
 * same moment would not see each other.
 */
export async function supersedeProgress (tx: Sql, groups: AffectedGroup[]): Promise<void> {
  await tx`
    with affected as (
      select webhook_id, chain, failing = 1 as failing, latest = 1 as latest from unnest(
        ${groups.map(({ webhookId }) => webhookId)}::int[], ${groups.map(({ orderingKey }) => orderingKey)}::text[],
        ${groups.map(({ isFailing }) => Number(isFailing))}::int[], ${groups.map(({ latestOnly }) => Number(latestOnly))}::int[]
      ) as a (webhook_id, chain, failing, latest)
    ),
    -- What waits of each group, with the newness of each row and until when the group waits for a retry.
    pending as materialized (
      select d.id, d.claim, d.type, d.attempts, d.due_at, a.latest,
        a.failing or bool_or(d.attempts > 0 or d.reason is not null) over ordering as failing,
        max(d.due_at) filter (where d.attempts > 0) over ordering as wait_until,
        row_number() over (ordering order by d.event_ms desc, d.event_seq desc) as newness,
        row_number() over (partition by d.webhook_id, d.chain, d.type order by d.event_ms desc, d.event_seq desc) as newness_of_type
      from affected a cross join lateral (
        select d.* from webhooks.deliveries d where d.webhook_id = a.webhook_id and d.chain = a.chain and d.finished_at is null
        order by d.event_ms, d.event_seq limit ${MAX_GROUP}) d
      window ordering as (partition by d.webhook_id, d.chain)
    ),
    decided as (
      select *, type = 'progress' and ((failing and newness > 1) or (latest and newness_of_type > 1)) as is_superseded from pending
    ),
    changed as materialized (
      select * from decided d
      where ${isUnclaimed(tx)}
        and (is_superseded or (type = 'progress' and attempts = 0 and wait_until > due_at))
    ),
    -- Rows that another transaction holds are skipped.
    locked as materialized (
      select d.id from webhooks.deliveries d
      where d.id = any(array(select id from changed)) and d.finished_at is null
      for update skip locked
    )
    update webhooks.deliveries d set
      claim = null,
      state = case when c.is_superseded then 'superseded' else 'pending' end,
      reason = case when c.is_superseded then ${SUPERSEDED} else ${WAITS_FOR_RETRY} end,
      finished_at = case when c.is_superseded then now() end,
      due_at = greatest(d.due_at, c.wait_until)
    from changed c
    where d.id = any(array(select id from locked)) and d.id = c.id and d.finished_at is null and d.claim is not distinct from c.claim`
}
