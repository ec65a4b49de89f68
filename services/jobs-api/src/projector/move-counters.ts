import { pgColumns } from '@tidings/service-kit'
import type { ChangedJob } from './apply-batch.ts'
import type { Tx } from '../db/projector-position.ts'

type Shift = { userId: string, state: number, delta: number }

/** Moves the counters by user and state in the transaction that changes the rows, so that totals never count rows. */
export async function moveCounters (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  const shifts = shiftsOf(jobs)
  if (shifts.length === 0) return
  const { numbers, texts } = pgColumns(shifts)
  await tx`
    insert into jobs.counts as counts (user_id, state, count)
    select user_id, state, delta
    from unnest(
      ${texts('userId')}::text[], ${numbers('state')}::smallint[], ${numbers('delta')}::bigint[]
    ) as shift (user_id, state, delta)
    order by user_id, state -- as a submit does, so that the two never deadlock
    on conflict (user_id, state) do update set count = counts.count + excluded.count`
}

/** The changes of the counters; unchanged ones are left out. */
function shiftsOf (jobs: ChangedJob[]): Shift[] {
  const shifts = new Map<string, Shift>()
  for (const { userId, stateBefore, after } of jobs) {
    const stateAfter = after.replaced ? undefined : after.state
    if (stateBefore === stateAfter) continue
    if (stateBefore !== undefined) add(userId, stateBefore, -1)
    if (stateAfter !== undefined) add(userId, stateAfter, 1)
  }
  return [...shifts.values()].filter(({ delta }) => delta !== 0)

  function add (userId: string, state: number, delta: number) {
    const shift = shifts.get(`${state} ${userId}`) ?? { userId, state, delta: 0 }
    shifts.set(`${state} ${userId}`, { ...shift, delta: shift.delta + delta })
  }
}
