import type { RawSql } from '@tidings/service-kit'
import { isUnclaimed } from '../db/fragments.ts'
import { ReplayNotFound, type ReplayKey } from './replay.ts'

/**
 * Stops a replay: it creates no more deliveries, and those that wait are closed. Deliveries in flight are left to their
 * outcome. A replay that has created all of them stays finished. By index waiting_replays, at most two pages of
 * run-replays.ts.
 * @throws ReplayNotFound
 */
export async function stopReplay (sql: RawSql, { webhookId, id }: ReplayKey): Promise<void> {
  await sql.begin(async tx => {
    // Waits for a page that is being added.
    const { count } = await tx`
      update webhooks.replay_requests set
        stopped_at = case when finished_at is null then now() else stopped_at end, finished_at = coalesce(finished_at, now())
      where id = ${id} and webhook_id = ${webhookId}`
    if (count === 0) throw new ReplayNotFound(id)
    await tx`
      update webhooks.deliveries set state = 'closed', reason = 'The replay was stopped', claim = null, finished_at = now()
      where id = any(array(
        select d.id from webhooks.deliveries d
        where d.origin = 'replay' and d.origin_id = ${id} and d.finished_at is null and ${isUnclaimed(tx)}
        for update skip locked)) and finished_at is null`
  })
}
