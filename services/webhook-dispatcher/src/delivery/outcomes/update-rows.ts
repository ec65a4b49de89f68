import { pgColumns } from '@tidings/service-kit'
import type { Sql } from '../../db/sql.ts'
import { insertAttempts, outcomeArrays, outcomeColumns, outcomeNames } from './outcome-columns.ts'
import type { TaskOutcome } from './outcome-write.ts'

/**
 * Writes the outcomes of claimed deliveries with their attempts, in one
 * statement, each row fenced by its claim. By primary key: the ids are given
 * twice and no index is on `finished_at`, so that the planner prefers no other.
 */
export async function updateRows (sql: Sql, outcomes: readonly TaskOutcome[]): Promise<void> {
  const columns = pgColumns(outcomes.map(
    ({ task, result }) => ({ id: task.id ?? null, claim: task.workerId, ...outcomeColumns(result) })
  ))
  const { numbers } = columns
  await sql`
    with r as materialized (
      select * from unnest(${numbers('id')}::bigint[], ${numbers('claim')}::bigint[], ${outcomeArrays(sql, columns)})
        as r (id, claim, ${outcomeNames(sql)})
    ),
    written as (
      update webhooks.deliveries d set
        claim = null,
        state = r.state,
        reason = r.reason,
        due_at = coalesce(now() + r.delay_ms * interval '1 ms', d.due_at),
        finished_at = case when r.state <> 'pending' then now() end,
        lost_at = case when r.state = 'failed' and r.reason is null and d.origin = 'event' and d.type <> 'progress' then coalesce(d.lost_at, now()) else d.lost_at end,
        attempts = d.attempts + (r.total_ms is not null)::int,
        status = case when r.total_ms is null then d.status else r.status end,
        error_class = case when r.total_ms is null then d.error_class else r.error_class end
      from r where d.id = any(${numbers('id')}::bigint[]) and d.id = r.id and d.claim = r.claim and d.finished_at is null
      returning d.id, d.attempts
    )
    ${insertAttempts(sql, sql`r.id = written.id`)}`
}
