import type { ReplayDetail } from '@tidings/contracts'
import { inIndexOrder } from '../db/in-index-order.ts'
import type { Database, Sql } from '../db/sql.ts'
import { findReplay, toReplay, type ReplayKey } from './replay.ts'

/** Failed and closed deliveries of the webhook that are read, of each state. */
const MAX_READ = 10_000

type Counts = { deliveries: number, pending: number, failed: number, closed: number, read: number }

/**
 * A replay with what became of its deliveries. The delivered ones, which may be many, are what is left of all when the
 * others are counted. By the indexes waiting_replays and unhappy_deliveries.
 * @throws ReplayNotFound
 */
export async function showReplay (
  { db, sql }: { db: Database, sql: Sql }, key: ReplayKey
): Promise<ReplayDetail> {
  const row = await findReplay(db, key)
  const { deliveries, pending, failed, closed, read } = await countOutcomes(sql, key)
  return {
    ...toReplay({ ...row, deliveries }),
    outcomes: {
      pending,
      delivered: deliveries - pending - failed - closed,
      failed,
      closed,
      ...(read === MAX_READ && { isCapped: true })
    }
  }
}

/** How many deliveries a replay has created, and those of them that were not delivered. */
export async function countOutcomes (sql: Sql, { webhookId, id }: ReplayKey): Promise<Counts> {
  const ended = (state: 'failed' | 'closed') => sql`(
    select count(*)::int as read, (count(*) filter (where origin = 'replay' and origin_id = ${id}))::int as found from (
      select origin, origin_id from webhooks.all_deliveries
      where webhook_id = ${webhookId} and state = ${state} and state in ('failed', 'superseded', 'closed') and id >= coalesce(r.first_delivery_id, 0)
      order by id limit ${MAX_READ}) d
  )`
  const [counts] = await inIndexOrder(sql, async tx => await tx<Counts[]>`
    select r.deliveries, f.found as failed, c.found as closed, greatest(f.read, c.read) as read, (
      select count(*)::int from webhooks.deliveries d
      where d.origin = 'replay' and d.origin_id = r.id and d.finished_at is null) as pending
    from webhooks.replay_requests r
    cross join lateral ${ended('failed')} f cross join lateral ${ended('closed')} c
    where r.id = ${id}`)
  return counts ?? { deliveries: 0, pending: 0, failed: 0, closed: 0, read: 0 }
}
