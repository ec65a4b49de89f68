import type { EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

export type FirstEndId = { first_ms: number, first_seq: number }

/**
 * A join that adds the id of the event with which a job has ended (`first_ms`, `first_seq`), as its timeline has it.
 * The row has the id of the job's last event, which is that of the repetition after the end was lost once before.
 */
export const withFirstEndId = (sql: RawSql) => sql`
  cross join lateral (
    select coalesce(max(line.event_ms), jobs.event_ms) as first_ms, coalesce(max(line.event_seq), jobs.event_seq) as first_seq
    from (
      select event_ms, event_seq from jobs.timeline where job = jobs.n and type in ('completed', 'failed')
      order by event_ms desc, event_seq desc limit 1
    ) line
  ) first_end`

export const firstEndIdOf = ({ first_ms: ms, first_seq: seq }: FirstEndId): EventId => ({ ms, seq })
